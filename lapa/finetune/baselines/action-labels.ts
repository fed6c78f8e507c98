/**
 * @file True or guessed actions in the place of latent ones. Baselines differ from LAPA in what the backbone is taught to
 * say and in nothing else, so their targets take the form of latent labels: one token per action dimension, its bin.
 */
import { createHash } from "node:crypto";
import { encodeActions, fitActionTokenizer } from "#core/actions/bins.ts";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { ShapeError } from "#core/errors.ts";
import { type FramePairs, filterPairs, framePairs } from "#datasets/frame-pairs.ts";
import { pairActions, type VideoData } from "#lapa/quantizer/index.ts";

export type ActionLabelOptions = {
  /** f32[M, A], any M: where the bins are fitted. With few labels these are the only true actions. */
  readonly fittedOn: Float32Array;
  /** Most bins of one dimension. */
  readonly bins: number;
  readonly offsetS: number;
  /** Who says the actions: a checkpoint's id, or "recorded". */
  readonly origin: string;
};

/**
 * Bins the action over each pair of frames.
 *
 * @param actions f32[N, A] over the N pairs, e.g. `pairActions`
 * @returns labels with A codes per step, each in [0, bins)
 * @throws ShapeError when pairs and actions do not fit
 */
export function actionLabels(
  data: VideoData,
  pairs: FramePairs,
  actions: Float32Array,
  { fittedOn, bins, offsetS, origin }: ActionLabelOptions,
): LatentLabels {
  const width = actions.length / pairs.length;
  if (!Number.isInteger(width) || fittedOn.length % width !== 0) {
    throw new ShapeError(
      `actions: must be f32[${pairs.length}, A] with bins fitted on f32[M, A], got ${actions.length} and ${fittedOn.length} values.`,
    );
  }
  const tokenizer = fitActionTokenizer(fittedOn, width, bins);
  const hash = createHash("sha256").update(JSON.stringify(["actions", origin, tokenizer]));
  return {
    quantizerHash: hash.digest("hex").slice(0, 16),
    codebookSize: bins,
    codesPerStep: width,
    offsetS,
    source: { path: origin, hash: data.hash },
    episodes: pairs.clip,
    first: pairs.first,
    second: pairs.second,
    codes: encodeActions(tokenizer, actions),
  };
}

/** Labels of recorded clips by their own actions: the upper bound ("ActionVLA", LAPA section 4.2). */
export function recordedActionLabels(
  data: VideoData,
  { bins, offsetS }: Pick<ActionLabelOptions, "bins" | "offsetS">,
): LatentLabels {
  const all = framePairs(data.frames.clips, { offsetS });
  const pairs = filterPairs(all, (pair) => data.recorded[all.clip[pair]!] !== undefined);
  const { actions } = pairActions(data, pairs);
  return actionLabels(data, pairs, actions, { fittedOn: actions, bins, offsetS, origin: "recorded" });
}
