/**
 * @file Answers that are spoken one after another, each hearing those before it, as published (LAPA section 3.2): the
 * embedding of the last answer and the place of the next one are one token. All is unrolled into one static program: the
 * keys and values of a step are operands of the next, so nothing of the cache leaves the engine, and the exported ONNX file
 * holds the whole decoding.
 */
import * as tf from "@tensorflow/tfjs";
import { embedding, type Linear, linear } from "#engine/index.ts";
import { type BackboneParameters, type Cache, readTokens } from "./backbone.ts";
import type { BackboneConfig } from "./config.ts";

/** Places f32[L, D], embeddings of answers f32[V, D], and the classifier of all places. */
export type Speaker = { readonly queries: tf.Tensor; readonly spoken: tf.Tensor; readonly classify: Linear<tf.Tensor> };

/** Tokens of the places when all answers are known: place i hears answer i - 1. @param answers i32[B, L] @returns f32[B, L, D] */
export function taughtTokens({ queries, spoken }: Omit<Speaker, "classify">, answers: tf.Tensor2D): tf.Tensor3D {
  const [batch, places] = answers.shape;
  const heard = embedding({ weight: spoken }, answers) as tf.Tensor3D; // [B, L, D]
  const before = tf.pad(tf.slice(heard, [0, 0, 0], [-1, places - 1, -1]), [
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
  return tf.add(tf.tile(tf.expandDims(queries, 0), [batch, 1, 1]), before) as tf.Tensor3D;
}

export type InOrderOptions = {
  /** f32[L, V], 0 where place i must not answer v; none: everything may be said. */
  readonly allowed?: tf.Tensor2D;
  /** False: every answer reads everything again; the same answers, for comparison. By default true. */
  readonly useCache?: boolean;
};

/**
 * Greedy decoding: the likeliest answer at each place, given those before it.
 *
 * @param prompt f32[B, P, D]
 * @returns `answers` i32[B, L]; `logits` f32[B, L, V], very low where not allowed
 */
export function answerInOrder(
  params: BackboneParameters<tf.Tensor>,
  config: BackboneConfig,
  prompt: tf.Tensor3D,
  { queries, spoken, classify }: Speaker,
  { allowed, useCache = true }: InOrderOptions = {},
): { answers: tf.Tensor2D; logits: tf.Tensor3D } {
  const [places, width] = queries.shape as [number, number];
  const batch = prompt.shape[0];
  const tokens: tf.Tensor3D[] = [];
  const logits: tf.Tensor3D[] = [];
  const answers: tf.Tensor2D[] = [];
  let cache: Cache | undefined;
  for (let place = 0; place < places; place++) {
    const query = tf.reshape(tf.slice(queries, [place, 0], [1, width]), [1, 1, width]);
    const last = answers.at(-1);
    const token = last === undefined ? query : tf.add(embedding({ weight: spoken }, last), query);
    tokens.push(tf.tile(token, [batch / token.shape[0]!, 1, 1]) as tf.Tensor3D);
    const isContinued = useCache && cache !== undefined;
    const fresh = isContinued ? tokens.at(-1)! : (tf.concat([prompt, ...tokens], 1) as tf.Tensor3D);
    const read = readTokens(params, config, fresh, isContinued ? { cache } : {});
    cache = read.cache;
    const vector = tf.slice(read.vectors, [0, fresh.shape[1] - 1, 0], [-1, 1, -1]);
    let scores = linear(classify, vector) as tf.Tensor3D; // [B, 1, V]
    if (allowed) scores = tf.add(scores, tf.mul(tf.sub(tf.slice(allowed, [place, 0], [1, -1]), 1), 1e9));
    logits.push(scores);
    answers.push(tf.argMax(scores, -1) as tf.Tensor2D);
  }
  return { answers: tf.concat(answers, 1) as tf.Tensor2D, logits: tf.concat(logits, 1) as tf.Tensor3D };
}
