import * as tf from "@tensorflow/tfjs";
import { createRng } from "#core/rng.ts";
import {
  compileTrainStep,
  crossEntropy,
  type Executor,
  type HostInput,
  type InputSpec,
  linear,
  type TrainStep,
} from "#engine/index.ts";
import {
  type Cache,
  type LatentVlaParameters,
  latentLogitsAfter,
  perceive,
  perceptionSpecs,
  readPictures,
  readTokens,
} from "#lapa/latent-vla/index.ts";
import type { FinetuneConfig } from "./config.ts";
import type { Demonstrations } from "./demonstrations.ts";
import { drawFlowTime, type FlowHead, flowLoss } from "./flow-head.ts";
import {
  type ActionHead,
  type ActionShape,
  type ActionVlaParameters,
  actionLogits,
  actionTokens,
  binLoss,
  isFlow,
  policyPrompt,
} from "./model.ts";

export { cutDemonstrations, type Demonstrations } from "./demonstrations.ts";

type Params = ActionVlaParameters<tf.Tensor>;
type Inputs = Readonly<Record<string, tf.Tensor>>;

/** The flow head's loss after a prompt that was read. */
function flowLossOf(params: Params, config: FinetuneConfig, cache: Cache, inputs: Inputs): tf.Scalar {
  const shape: [number, number, number] = [config.batch, config.head.chunkLength, -1];
  const chunk = (name: string) => tf.reshape(inputs[name]!, shape) as tf.Tensor3D;
  const model = { trunk: params.trunk, action: params.action as FlowHead<tf.Tensor> };
  return flowLoss(model, config.model, cache, {
    ...{ actions: chunk("values"), noise: chunk("noise"), mask: chunk("mask") },
    time: inputs.time as tf.Tensor1D,
  });
}

/** The kept latent head's cross-entropy over the samples that are labelled. */
function latentLossOf(params: Params, config: FinetuneConfig, cache: Cache, inputs: Inputs): tf.Scalar {
  const { model } = config;
  const codes = inputs.latents as tf.Tensor2D;
  const logits = latentLogitsAfter(params as unknown as LatentVlaParameters<tf.Tensor>, model, cache, codes);
  const known = tf.tile(tf.expandDims(inputs.known!, 1), [1, model.codesPerStep]);
  const flat = tf.reshape(logits, [-1, model.codebookSize]) as tf.Tensor2D;
  return crossEntropy(flat, tf.reshape(codes, [-1]) as tf.Tensor1D, { mask: tf.reshape(known, [-1]) });
}

/** Loss of one batch: the actions', and the kept latent one's where it has a weight. */
export function policyLoss(params: Params, config: FinetuneConfig, inputs: Inputs) {
  const { model, head, latentLoss } = config;
  const seen = { ...perceive(model, inputs), previous: inputs.previous };
  const bins = inputs.bins as tf.Tensor2D;
  const mask = inputs.mask as tf.Tensor2D;
  const keepsLatent = params.latent !== undefined && latentLoss > 0;
  if (!isFlow(params.action) && !keepsLatent) {
    const logits = actionLogits(params, model, seen.images, seen.words, { bins, previous: seen.previous });
    const { loss, accuracy } = binLoss(logits, bins, mask, head.smoothing);
    return { loss, outputs: { accuracy } };
  }
  const { cache } = readTokens(params.trunk, model, policyPrompt(params, model, seen));
  const outputs: Record<string, tf.Tensor> = {};
  let loss: tf.Scalar;
  if (isFlow(params.action)) {
    loss = flowLossOf(params, config, cache, inputs);
  } else {
    const action = params.action as ActionHead<tf.Tensor>;
    const { vectors } = readTokens(params.trunk, model, actionTokens(action, config.batch, bins), { cache });
    const result = binLoss(linear(action.classify, vectors) as tf.Tensor3D, bins, mask, head.smoothing);
    loss = result.loss;
    outputs.accuracy = result.accuracy;
  }
  if (keepsLatent) {
    outputs.latentLoss = latentLossOf(params, config, cache, inputs);
    loss = tf.add(loss, tf.mul(outputs.latentLoss, latentLoss));
  }
  return { loss, outputs };
}

function inputSpecs(config: FinetuneConfig, shape: ActionShape): Record<string, InputSpec> {
  const { model, batch, head, latentLoss, previousLatent } = config;
  const floats = (...sizes: number[]): InputSpec => ({ shape: [batch, ...sizes], dtype: "float32" });
  const integers = (size: number): InputSpec => ({ shape: [batch, size], dtype: "int32" });
  const width = shape.chunkLength * shape.dimensions;
  return {
    ...perceptionSpecs(model, batch, { colour: true }),
    ...(head.kind === "flow"
      ? { values: floats(width), noise: floats(width), time: floats() }
      : { bins: integers(width) }),
    mask: floats(width),
    ...(latentLoss > 0 ? { latents: integers(model.codesPerStep), known: floats() } : {}),
    ...(previousLatent ? { previous: integers(model.codesPerStep) } : {}),
  };
}

/** Compiles one stage of fine-tuning. `trunk` false: the backbone stays as it is. */
export function createFinetuneStep(
  config: FinetuneConfig,
  shape: ActionShape,
  parameters: ActionVlaParameters,
  { trunk, executor }: { trunk: boolean; executor: Executor },
): Promise<TrainStep> {
  return compileTrainStep((params, inputs) => policyLoss(params as unknown as Params, config, inputs), {
    name: trunk ? "finetune" : "finetune-head",
    parameters,
    inputs: inputSpecs(config, shape),
    batch: config.batch,
    optimizer: { weightDecay: config.weightDecay, clipNorm: config.clipNorm },
    executor,
    trainable: (path) => trunk || path.startsWith("action.") || path.startsWith("previous."),
  });
}

/** Copies the chosen rows. */
function pick<A extends Int32Array | Float32Array>(from: A, chosen: Int32Array, width: number, into: A): A {
  for (const [row, sample] of chosen.entries()) {
    into.set(from.subarray(sample * width, (sample + 1) * width), row * width);
  }
  return into;
}

/** Targets of the chosen samples, as the compiled step takes them. */
export function finetuneRows(
  { samples, mask, bins, values, latents }: Demonstrations,
  config: Pick<FinetuneConfig, "model" | "head" | "latentLoss" | "previousLatent">,
  chosen: Int32Array,
  seed: string,
): Record<string, HostInput> {
  const width = mask.length / samples.clip.length;
  const codes = config.model.codesPerStep;
  const floats = (from: Float32Array, size: number) => pick(from, chosen, size, new Float32Array(chosen.length * size));
  const integers = (from: Int32Array, size: number) => pick(from, chosen, size, new Int32Array(chosen.length * size));
  const rng = createRng(seed);
  const isFlowing = config.head.kind === "flow";
  return {
    ...(isFlowing ? {} : { bins: integers(bins, width) }),
    mask: floats(mask, width),
    ...(isFlowing
      ? {
          values: floats(values, width),
          noise: Float32Array.from({ length: chosen.length * width }, () => rng.normal()),
          time: Float32Array.from({ length: chosen.length }, () => drawFlowTime(rng)),
        }
      : {}),
    ...(latents && config.latentLoss > 0
      ? { latents: integers(latents.codes, codes), known: floats(latents.known, 1) }
      : {}),
    ...(latents && config.previousLatent ? { previous: integers(latents.previous, codes) } : {}),
  };
}

/** The batch of one step: a pure function of seed and step. */
export function finetuneBatch(demonstrations: Demonstrations, config: FinetuneConfig, step: number) {
  const { frames, captions, samples } = demonstrations;
  const rng = createRng(`finetune/${config.seed}/${step}`);
  const count = samples.clip.length;
  const chosen = Int32Array.from({ length: config.batch }, () => rng.integer(count));
  const pictures = readPictures(frames, captions, samples, chosen, config, rng);
  return { ...pictures, ...finetuneRows(demonstrations, config, chosen, `flow/${config.seed}/${step}`) };
}
