/**
 * @file A policy's network: the backbone, and an action head in place of the latent one (LAPA section 3.3). Bins: L x A new
 * queries ask for the next L actions, each as one of the bins of its dimension; all share one classifier, as the paper's
 * seven positions do, and are answered at once or one after another. Flow: continuous actions (flow-head.ts). The latent
 * head may stay, and the latent action that led to the picture may be part of the prompt.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  crossEntropy,
  embedding,
  type HostArray,
  initLinear,
  type Linear,
  linear,
  normalArray,
} from "#engine/index.ts";
import {
  answerAtOnce,
  answerInOrder,
  type BackboneConfig,
  type BackboneParameters,
  type LatentHead,
  promptTokens,
  taughtTokens,
} from "#lapa/latent-vla/index.ts";
import { type FlowHead, initFlowHead } from "./flow-head.ts";

/** What the head must know of the actions: dimensions A, chunk length L and classes V of the shared classifier. */
export type ActionShape = {
  readonly dimensions: number;
  readonly chunkLength: number;
  readonly bins: number;
  readonly kind?: "bins" | "flow";
  readonly order?: "parallel" | "autoregressive";
};

export type ActionHead<T = HostArray> = {
  /** f32[L * A, D] */
  readonly queries: T;
  readonly classify: Linear<T>;
  /** f32[V, D]: bins already spoken, where they are answered one after another. */
  readonly spoken?: T;
};

/** The latent action that led to the picture, as prompt tokens. */
export type PreviousLatent<T = HostArray> = {
  /** f32[K + 1, D]; the last row stands for none: the episode has just begun. */
  readonly codes: T;
  /** f32[L, D] */
  readonly position: T;
};

export type ActionVlaParameters<T = HostArray> = {
  readonly trunk: BackboneParameters<T>;
  readonly action: ActionHead<T> | FlowHead<T>;
  readonly latent?: LatentHead<T>;
  readonly previous?: PreviousLatent<T>;
};

export function initActionHead(rng: Rng, config: BackboneConfig, shape: ActionShape): ActionHead | FlowHead {
  const { width } = config;
  if (shape.kind === "flow") return initFlowHead(rng, config, shape);
  return {
    queries: normalArray(rng.fork("queries"), [shape.chunkLength * shape.dimensions, width], 0.3),
    classify: initLinear(rng.fork("classify"), { inputs: width, outputs: shape.bins }),
    ...(shape.order === "autoregressive" ? { spoken: normalArray(rng.fork("spoken"), [shape.bins, width], 0.3) } : {}),
  };
}

export function initPreviousLatent(rng: Rng, config: BackboneConfig, known: HostArray | undefined): PreviousLatent {
  const { codebookSize, codesPerStep, width } = config;
  const codes = normalArray(rng.fork("previous"), [codebookSize + 1, width], 0.3);
  // Embeddings that pretraining has learned are a better start than chance.
  if (known !== undefined) (codes.data as Float32Array).set(known.data);
  return { codes, position: normalArray(rng.fork("previousPosition"), [codesPerStep, width], 0.1) };
}

/** What a policy sees: as `promptTokens`, and where the network asks for it the previous latent action i32[B, codes]. */
export type Seen = { readonly images: tf.Tensor; readonly words: tf.Tensor; readonly previous?: tf.Tensor | undefined };

/** The tokens of everything that is seen, f32[B, P, D]. */
export function policyPrompt(
  { trunk, previous }: ActionVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  seen: Seen,
): tf.Tensor3D {
  const prompt = promptTokens(trunk, config, seen.images, seen.words);
  if (previous === undefined || seen.previous === undefined) return prompt;
  const before = tf.add(embedding({ weight: previous.codes }, seen.previous), previous.position);
  return tf.concat([prompt, before], 1) as tf.Tensor3D;
}

export const isFlow = <T>(head: ActionHead<T> | FlowHead<T>): head is FlowHead<T> => "leave" in head;

/** The tokens that ask for the actions, f32[B, L * A, D]. @param bins i32[B, L * A] the true ones, in training */
export function actionTokens(head: ActionHead<tf.Tensor>, batch: number, bins?: tf.Tensor2D): tf.Tensor3D {
  if (head.spoken !== undefined && bins !== undefined) {
    return taughtTokens({ queries: head.queries, spoken: head.spoken }, bins);
  }
  return tf.tile(tf.expandDims(head.queries, 0), [batch, 1, 1]) as tf.Tensor3D;
}

/**
 * Logits of the bins, all at once.
 *
 * @param images, words as `promptTokens`
 * @param bins i32[B, L * A]: what was said before, for a head that answers one after another
 * @returns f32[B, L * A, V]
 */
export function actionLogits(
  params: ActionVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor,
  words: tf.Tensor,
  { bins, previous }: { readonly bins?: tf.Tensor2D | undefined; readonly previous?: tf.Tensor | undefined } = {},
): tf.Tensor3D {
  const head = params.action as ActionHead<tf.Tensor>;
  const prompt = policyPrompt(params, config, { images, words, previous });
  const tokens = actionTokens(head, images.shape[0]!, bins);
  return linear(head.classify, answerAtOnce(params.trunk, config, prompt, tokens)) as tf.Tensor3D;
}

/**
 * Logits of the bins as the policy says them: greedily one after another where the head is made for it.
 *
 * @param prompt f32[B, P, D]
 * @param exists f32[A, V]
 * @returns f32[B, L * A, V]
 */
export function spokenLogits(
  params: ActionVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  prompt: tf.Tensor3D,
  exists: tf.Tensor2D,
  useCache = true,
): tf.Tensor3D {
  const head = params.action as ActionHead<tf.Tensor>;
  const { queries, spoken, classify } = head;
  if (spoken === undefined) {
    const tokens = actionTokens(head, prompt.shape[0]);
    return linear(classify, answerAtOnce(params.trunk, config, prompt, tokens)) as tf.Tensor3D;
  }
  const allowed = tf.tile(exists, [queries.shape[0]! / exists.shape[0], 1]) as tf.Tensor2D; // [L * A, V]
  return answerInOrder(params.trunk, config, prompt, { queries, spoken, classify }, { allowed, useCache }).logits;
}

/**
 * Cross-entropy over the actions alone, and the share of bins guessed right.
 *
 * @param logits f32[B, L * A, V]
 * @param bins i32[B, L * A]
 * @param mask f32[B, L * A]: 0 past the episode's end and in dimensions that are not learned
 */
export function binLoss(
  logits: tf.Tensor3D,
  bins: tf.Tensor2D,
  mask: tf.Tensor2D,
  smoothing: number,
): { loss: tf.Scalar; accuracy: tf.Scalar } {
  const flat = tf.reshape(logits, [-1, logits.shape[2]]) as tf.Tensor2D;
  const labels = tf.reshape(bins, [-1]) as tf.Tensor1D;
  const weights = tf.reshape(mask, [-1]) as tf.Tensor1D;
  const right = tf.mul(tf.cast(tf.equal(tf.argMax(flat, 1), labels), "float32"), weights);
  return {
    loss: crossEntropy(flat, labels, { mask: weights, smoothing }),
    accuracy: tf.div(tf.sum(right), tf.maximum(tf.sum(weights), 1)),
  };
}

/**
 * Actions from logits.
 *
 * @param logits f32[B, L * A, V]
 * @param centres f32[A, V] value of each bin; bins that a dimension does not have are marked in `exists` f32[A, V]
 * @returns f32[B, L, A] in raw units
 */
export function readActions(
  logits: tf.Tensor3D,
  centres: tf.Tensor2D,
  exists: tf.Tensor2D,
  decoding: "mean" | "argmax",
): tf.Tensor3D {
  const [batch, positions, bins] = logits.shape;
  const dimensions = centres.shape[0];
  const perAction = tf.reshape(logits, [batch, positions / dimensions, dimensions, bins]); // [B, L, A, V]
  const allowed = tf.add(perAction, tf.mul(tf.sub(exists, 1), 1e9));
  const weights =
    decoding === "mean" ? tf.softmax(allowed) : tf.cast(tf.oneHot(tf.argMax(allowed, -1), bins), "float32");
  return tf.sum(tf.mul(weights, centres), -1) as tf.Tensor3D;
}
