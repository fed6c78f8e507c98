import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { UserError } from "#core/errors.ts";
import type { Executor } from "#engine/index.ts";
import { checkLabels, encodeCaptions, type Perception, withPerception } from "#lapa/latent-vla/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";
import { createActionJudge } from "./action-judge.ts";
import { actionSpaceOf, spaceSignature } from "./action-space.ts";
import { cutDemonstrations } from "./demonstrations.ts";
import type { PolicyModel } from "./policy-model.ts";
import { actionsOf } from "./train.ts";

export type ActionErrors = {
  /** Mean of the learned dimensions, as `createActionJudge` measures it. */
  readonly actionError: number;
  /** Mean distance to the recorded action in raw units, by name; dimensions that are not learned are left out. */
  readonly rawErrors: Readonly<Record<string, number>>;
  readonly episodes: number;
  readonly frames: number;
};

type EvaluateOptions = {
  readonly executor: Executor;
  readonly heldOut: boolean;
  readonly batch?: number;
  readonly labels?: LatentLabels | undefined;
};

/**
 * Measures a policy against demonstrations, open loop: what it would do at every frame beside what was done.
 *
 * @param options `heldOut`: only the clips that a fine-tuning with the same `data` kept out of training
 * @throws UserError when the actions are not the policy's, nothing is there to measure, or a policy that hears the latent
 *   action before gets no labels of it
 */
export async function evaluateActions(
  model: PolicyModel,
  data: VideoData,
  options: EvaluateOptions,
): Promise<ActionErrors> {
  const { space, backbone, vocabulary, parameters } = model;
  const { executor, labels } = options;
  actionsOf(data); // every clip has them
  for (const { dataset, actions: rows } of data.recorded.map((clip) => clip!)) {
    const other = actionSpaceOf(dataset, rows, space.kind);
    if (spaceSignature(other) === spaceSignature(space)) continue;
    throw new UserError(
      `${dataset.path}: the policy's actions are ${space.names.join(", ")} (${space.kind}), the data set's ${other.names.join(", ")} (${other.kind}). Evaluate on data of the same robot.`,
    );
  }
  if (labels !== undefined) checkLabels(labels, data, model.latent);
  else if (parameters.previous !== undefined) {
    throw new UserError(
      "labels: this policy hears the latent action before, got none. Label the data and pass --labels.",
    );
  }
  return withPerception(backbone, vocabulary, executor, (perception) => measure(model, data, perception, options));
}

async function measure(
  model: PolicyModel,
  data: VideoData,
  perception: Perception,
  { executor, heldOut, batch = 64, labels }: EvaluateOptions,
): Promise<ActionErrors> {
  const { space, normalisation, tokenizer, backbone, head, parameters } = model;
  const captions = await encodeCaptions(data.frames, perception);
  const keep = (clip: number) => !heldOut || data.heldOut[clip] === true;
  const cut = cutDemonstrations(data.frames, captions, actionsOf(data), tokenizer, head.chunkLength, {
    ...{ normalisation, labels, keep },
  });
  const frames = cut.samples.clip.length;
  if (frames === 0) {
    throw new UserError("demonstrations: must hold clips to measure on, got none. Raise --data.holdOut or pass --all.");
  }
  const config = { batch, model: backbone, head, latentLoss: 0, previousLatent: parameters.previous !== undefined };
  const judge = await createActionJudge(cut, config, model, { perception, executor });
  try {
    const errors = await judge.measureAll();
    const learned = [...errors.entries()].filter(([, error]) => !Number.isNaN(error));
    return {
      actionError: learned.reduce((sum, [, error]) => sum + error, 0) / learned.length,
      rawErrors: Object.fromEntries(
        learned.map(([dimension, error]) => [space.names[dimension]!, error * normalisation.scale[dimension]!]),
      ),
      episodes: new Set(cut.samples.clip).size,
      frames,
    };
  } finally {
    await judge.dispose();
  }
}
