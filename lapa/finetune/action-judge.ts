import { createRng } from "#core/rng.ts";
import { compile, type Executor, type HostInput, type TrainState } from "#engine/index.ts";
import { type Perception, perceiveBatch, readPictures } from "#lapa/latent-vla/index.ts";
import type { FinetuneConfig } from "./config.ts";
import type { Demonstrations } from "./demonstrations.ts";
import { inferenceProgram } from "./inference.ts";
import type { PolicyModel } from "./policy-model.ts";
import { finetuneRows } from "./train-step.ts";

/** Absolute errors of dimension d, in the network's range: their sum and number. */
type Errors = { readonly sums: Float64Array; readonly counts: Float64Array };

export type ActionJudge = {
  /** The mean over learned dimensions of four batches, evenly spread over the rows. */
  measure(state: Pick<TrainState, "parameters">): Promise<Readonly<Record<string, number>>>;
  /** Mean error of each dimension over all rows; NaN for one that is not learned. */
  measureAll(): Promise<number[]>;
  dispose(): Promise<void>;
};

const batches = 4;

/**
 * Measures a policy on demonstrations that were left out, as it would act: `actionError` is the mean distance to the recorded
 * actions over chunk and learned dimensions, each as a share of half the span from the 1st to the 99th percentile of
 * training (0: as recorded; always answering the middle of an evenly spread dimension: 0.5).
 */
export async function createActionJudge(
  source: Demonstrations,
  config: Pick<FinetuneConfig, "batch" | "model" | "head" | "latentLoss" | "previousLatent">,
  model: PolicyModel,
  { perception, executor }: { readonly perception: Perception; readonly executor: Executor },
): Promise<ActionJudge> {
  const { batch } = config;
  const { infer, state, ...options } = inferenceProgram(model, batch);
  const program = await compile(infer, { ...options, name: "finetune-judge", state, executor });
  const count = source.samples.clip.length;
  const still = { shiftPixels: 0, augment: 0 };
  const { offset, scale } = model.normalisation;
  const size = scale.length;
  const width = source.mask.length / count;

  /** Adds the errors of the first `rows` of a batch. */
  const addRows = async (chosen: Int32Array, rows: number, { sums, counts }: Errors) => {
    const { colour: _, ...seen } = readPictures(
      ...([source.frames, source.captions, source.samples, chosen, still, createRng(0)] as const),
    );
    const { noise, previous } = finetuneRows(source, config, chosen, `judge/${chosen[0]}`);
    const given: Record<string, HostInput> = { ...(await perceiveBatch(config.model, perception, seen)) };
    if (noise !== undefined) given.noise = noise;
    if (previous !== undefined) given.previous = previous;
    const { actions } = await program.run(given);
    for (let at = 0; at < rows * width; at++) {
      const row = Math.floor(at / width);
      const place = chosen[row]! * width + (at % width);
      const dimension = at % size;
      if (source.mask[place] === 0) continue;
      const said = (actions!.data[at]! - offset[dimension]!) / scale[dimension]!;
      sums[dimension] = sums[dimension]! + Math.abs(said - source.values[place]!);
      counts[dimension] = counts[dimension]! + 1;
    }
  };
  const noErrors = (): Errors => ({ sums: new Float64Array(size), counts: new Float64Array(size) });
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);

  return {
    async measure({ parameters }) {
      await program.load({ ...(state as object), model: parameters } as never);
      const errors = noErrors();
      for (let part = 0; part < batches; part++) {
        const place = (row: number) => Math.floor(((part * batch + row + 0.5) * count) / (batch * batches));
        await addRows(
          Int32Array.from({ length: batch }, (_, row) => place(row)),
          batch,
          errors,
        );
      }
      return { actionError: total(errors.sums) / Math.max(1, total(errors.counts)) };
    },
    async measureAll() {
      const errors = noErrors();
      for (let start = 0; start < count; start += batch) {
        const chosen = Int32Array.from({ length: batch }, (_, row) => Math.min(start + row, count - 1));
        await addRows(chosen, Math.min(batch, count - start), errors);
      }
      return Array.from(errors.sums, (sum, dimension) => sum / errors.counts[dimension]!);
    },
    dispose: () => program.dispose(),
  };
}
