import { createRng } from "#core/rng.ts";
import { compile, type Executor, type HostInput, type TrainState } from "#engine/index.ts";
import { type Perception, perceiveBatch, readPictures } from "#lapa/latent-vla/index.ts";
import type { FinetuneConfig } from "./config.ts";
import type { Demonstrations } from "./demonstrations.ts";
import { inferenceProgram } from "./inference.ts";
import type { PolicyModel } from "./policy-model.ts";
import { finetuneRows } from "./train-step.ts";

export type ActionJudge = {
  measure(state: Pick<TrainState, "parameters">): Promise<Readonly<Record<string, number>>>;
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
  config: FinetuneConfig,
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

  const measureRows = async (chosen: Int32Array) => {
    const { colour: _, ...seen } = readPictures(
      ...([source.frames, source.captions, source.samples, chosen, still, createRng(0)] as const),
    );
    const { noise, previous } = finetuneRows(source, config, chosen, "judge");
    const given: Record<string, HostInput> = { ...(await perceiveBatch(config.model, perception, seen)) };
    if (noise !== undefined) given.noise = noise;
    if (previous !== undefined) given.previous = previous;
    const { actions } = await program.run(given);
    let sum = 0;
    let total = 0;
    for (const [row, sample] of chosen.entries()) {
      for (let at = 0; at < width; at++) {
        if (source.mask[sample * width + at] === 0) continue;
        const said = (actions!.data[row * width + at]! - offset[at % size]!) / scale[at % size]!;
        sum += Math.abs(said - source.values[sample * width + at]!);
        total++;
      }
    }
    return [sum, total] as const;
  };

  return {
    async measure({ parameters }) {
      await program.load({ ...(state as object), model: parameters } as never);
      let [error, total] = [0, 0];
      for (let part = 0; part < batches; part++) {
        const place = (row: number) => Math.floor(((part * batch + row + 0.5) * count) / (batch * batches));
        const [sum, counted] = await measureRows(Int32Array.from({ length: batch }, (_, row) => place(row)));
        error += sum;
        total += counted;
      }
      return { actionError: error / Math.max(1, total) };
    },
    dispose: () => program.dispose(),
  };
}
