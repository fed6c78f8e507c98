/** @file What a policy computes, as one function: the same one is compiled, exported and measured. */
import * as tf from "@tensorflow/tfjs";
import { binCount } from "#core/actions/bins.ts";
import type { HostArray, InputSpec, TracedFunction, Tree } from "#engine/index.ts";
import {
  type LatentVlaParameters,
  perceive,
  perceptionSpecs,
  readTokens,
  sayLatentAfter,
} from "#lapa/latent-vla/index.ts";
import { type FlowHead, sampleFlow } from "./flow-head.ts";
import { type ActionVlaParameters, isFlow, policyPrompt, readActions, spokenLogits } from "./model.ts";
import type { PolicyModel } from "./policy-model.ts";

type State = {
  readonly model: ActionVlaParameters<tf.Tensor>;
  /** Bins: values and which of them exist, f32[A, V] each. */
  readonly centres: tf.Tensor2D;
  readonly exists: tf.Tensor2D;
  /** Flow: f32[A] each. */
  readonly offset: tf.Tensor1D;
  readonly scale: tf.Tensor1D;
};

const table = (shape: readonly number[], data: Float32Array): HostArray => ({ shape, dtype: "float32", data });

function constantsOf({ tokenizer, normalisation }: PolicyModel): Record<string, HostArray> {
  const bins = binCount(tokenizer);
  const size = tokenizer.dimensions.length;
  const centres = new Float32Array(size * bins);
  const exists = new Float32Array(size * bins);
  for (const [dimension, { centres: values }] of tokenizer.dimensions.entries()) {
    centres.set(values, dimension * bins);
    exists.fill(1, dimension * bins, dimension * bins + values.length);
  }
  return {
    centres: table([size, bins], centres),
    exists: table([size, bins], exists),
    offset: table([size], Float32Array.from(normalisation.offset)),
    scale: table([size], Float32Array.from(normalisation.scale)),
  };
}

export type InferenceProgram = {
  readonly name: string;
  readonly infer: TracedFunction;
  readonly state: Tree<HostArray>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
};

/**
 * Inputs: `images` and `words` as `perceptionSpecs`; `previous` i32[B, codes] where the policy hears the latent action before;
 * `noise` f32[B, L, A] for a flow head. Outputs: `actions` f32[B, L, A] in raw units; `latents` i32[B, codes] where it says them.
 *
 * @param useCache false: answers in order are computed without a cache, for comparison
 */
export function inferenceProgram(model: PolicyModel, batch: number, useCache = true): InferenceProgram {
  const { backbone, head, parameters } = model;
  const size = model.space.names.length;
  const hearsLatent = parameters.previous !== undefined;
  const infer = (leaves: unknown, inputs: Readonly<Record<string, tf.Tensor>>) => {
    const { model: params, centres, exists, offset, scale } = leaves as State;
    const prompt = policyPrompt(params, backbone, { ...perceive(backbone, inputs), previous: inputs.previous });
    const latents = hearsLatent
      ? { latents: sayLatentAfter(params as unknown as LatentVlaParameters<tf.Tensor>, backbone, prompt) }
      : {};
    if (!isFlow(params.action)) {
      const logits = spokenLogits(params, backbone, prompt, exists, useCache);
      return { outputs: { actions: readActions(logits, centres, exists, head.decoding), ...latents } };
    }
    const { cache } = readTokens(params.trunk, backbone, prompt);
    const flowing = { trunk: params.trunk, action: params.action as FlowHead<tf.Tensor> };
    const chunk = sampleFlow(flowing, backbone, cache, inputs.noise as tf.Tensor3D, head.flowSteps);
    return { outputs: { actions: tf.add(tf.mul(chunk, scale), offset), ...latents } };
  };
  const codes: InputSpec = { shape: [batch, backbone.codesPerStep], dtype: "int32" };
  const noise: InputSpec = { shape: [batch, head.chunkLength, size], dtype: "float32" };
  return {
    name: `policy-${batch}`,
    infer: infer as TracedFunction,
    state: { model: parameters, ...constantsOf(model) } as unknown as Tree<HostArray>,
    inputs: {
      ...perceptionSpecs(backbone, batch),
      ...(hearsLatent ? { previous: codes } : {}),
      ...(head.kind === "flow" ? { noise } : {}),
    },
  };
}
