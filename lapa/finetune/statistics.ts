import { type ActionTokenizer, fitActionTokenizer } from "#core/actions/bins.ts";
import type { ActionSpace, Normalisation } from "#core/contracts/action.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import type { Vocabulary } from "#core/text/word-tokenizer.ts";
import type { FinetuneConfig } from "./config.ts";

/** What travels with a policy's weights; it runs from its folder alone. */
export type PolicyStatistics = {
  readonly vocabulary: Vocabulary;
  readonly tokenizer: ActionTokenizer;
  /** `raw = offset + scale * model`; scale 0: the dimension always is `offset`. */
  readonly normalisation: Normalisation;
  readonly space: ActionSpace;
  readonly camera: string;
  readonly rateHz: number;
  /** Of the latent actions, where the policy says or hears them. */
  readonly latent?: { readonly quantizerHash: string; readonly offsetS: number };
};

export type ActionStatistics = Pick<PolicyStatistics, "tokenizer" | "normalisation">;

/** Value below which a share of the ascending values lies, between two of them where it falls there. */
function quantile(ascending: Float64Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)]!;
  return below + (ascending[Math.ceil(place)]! - below) * (place % 1);
}

/** Indices of the dimensions that are not to be learned. @throws ConfigError naming one that the space does not have */
function ignoredDimensions(names: readonly string[], ignore: readonly string[]): Set<number> {
  return new Set(
    ignore.map((name) => {
      const index = names.indexOf(name);
      if (index >= 0) return index;
      throw new ConfigError(`ignore: must be names of action dimensions (${names.join(", ")}), got "${name}".`);
    }),
  );
}

/**
 * Fits what turns actions into what the network says. A dimension that is ignored or never changes gets one bin and scale
 * 0: it costs no loss and is answered exactly.
 *
 * @param actions f32[N, A]
 * @throws ConfigError when a value is not finite or a name to ignore is unknown; UserError when no dimension changes
 */
export function fitActionStatistics(
  actions: Float32Array,
  names: readonly string[],
  { head, ignore }: Pick<FinetuneConfig, "head" | "ignore">,
): ActionStatistics {
  const size = names.length;
  const fitted = fitActionTokenizer(actions, size, head.bins);
  const ignored = ignoredDimensions(names, ignore);
  const offset: number[] = [];
  const scale: number[] = [];
  const dimensions = fitted.dimensions.map((bins, dimension) => {
    const values = Float64Array.from({ length: actions.length / size }, (_, row) => actions[row * size + dimension]!);
    values.sort();
    const isFixed = ignored.has(dimension) || bins.centres.length === 1;
    const middle = quantile(values, 0.5);
    // The outermost percents are left to lie outside of [-1, 1]: one jerk must not squeeze everything else.
    const [low, high] = [quantile(values, 0.01), quantile(values, 0.99)];
    const [start, end] = high > low ? [low, high] : [values[0]!, values.at(-1)!];
    offset.push(isFixed ? middle : (start + end) / 2);
    scale.push(isFixed ? 0 : (end - start) / 2);
    if (isFixed) return { edges: [values[0]!, values.at(-1)!], centres: [middle] };
    const isOnePerValue = new Set(values).size <= head.bins;
    if (head.binValue === "mean" || isOnePerValue) return bins;
    return { edges: bins.edges, centres: bins.edges.slice(1).map((edge, bin) => (edge + bins.edges[bin]!) / 2) };
  });
  if (scale.every((value) => value === 0)) {
    throw new UserError(
      `demonstrations: at least one action dimension must change, but ${names.join(", ")} never do. Check the recording.`,
    );
  }
  return { tokenizer: { dimensions }, normalisation: { offset, scale } };
}

/** True where a dimension is learned. */
export const learnedDimensions = ({ dimensions }: ActionTokenizer): boolean[] =>
  dimensions.map(({ centres }) => centres.length > 1);

/** f32[N, A] raw to the network's range. */
export function normaliseActions({ offset, scale }: Normalisation, actions: Float32Array): Float32Array {
  const size = offset.length;
  return actions.map((value, index) => {
    const by = scale[index % size]!;
    return by === 0 ? 0 : (value - offset[index % size]!) / by;
  });
}
