/**
 * @file AdamW as tensor operations, so that a whole train step is one program. Bias correction comes from a step counter
 * kept in the state: nothing that changes from step to step is written into the program.
 */
import { z } from "zod";
import { tf } from "../tf.ts";
import { filled, flattenTree, type HostArray, mapTree, type Tree, unflattenTree } from "../tree.ts";

export const optimizerConfig = z.strictObject({
  beta1: z.number().min(0).lt(1).default(0.9).describe("decay of the averaged gradient per update"),
  beta2: z.number().min(0).lt(1).default(0.999).describe("decay of the averaged squared gradient per update"),
  epsilon: z.number().positive().default(1e-8).describe("added to the root of the averaged squared gradient"),
  weightDecay: z.number().min(0).default(0.01).describe("decoupled weight decay of arrays with two or more axes"),
  clipNorm: z.number().positive().optional().describe("largest global gradient norm; without it nothing is clipped"),
  accumulate: z.number().int().min(1).default(1).describe("batches whose gradients are averaged for one update"),
});

/** Settings as the caller writes them; what is left out takes its default. */
export type OptimizerConfig = z.input<typeof optimizerConfig>;
type Settings = z.output<typeof optimizerConfig>;

/** `updates` i32[] counts updates; `first` and `second` are the averaged gradients and squared gradients. */
export type OptimizerState<T = HostArray> = {
  readonly updates: T;
  readonly first: Tree<T>;
  readonly second: Tree<T>;
  /** Only when gradients are accumulated: their sum so far and i32[] how many batches are in it. */
  readonly pending?: { readonly batches: T; readonly gradients: Tree<T> };
};

const counter = (): HostArray => ({ shape: [], dtype: "int32", data: new Int32Array(1) });

/** @param trained the parameters that are trained, and no others */
export function initOptimizer(trained: Tree<HostArray>, { accumulate }: Settings): OptimizerState {
  const zeros = () => mapTree(trained, (leaf) => filled(leaf.shape, 0));
  const slots = { updates: counter(), first: zeros(), second: zeros() };
  return accumulate === 1 ? slots : { ...slots, pending: { batches: counter(), gradients: zeros() } };
}

/** Tensors by path: of the trained parameters, or of those among them that the loss depends on. */
export type Leaves = ReadonlyMap<string, tf.Tensor>;

/** `√ Σ g²` over all gradients together. */
function globalNorm(gradients: Leaves): tf.Scalar {
  const squares = [...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)));
  return tf.sqrt(tf.addN(squares)) as tf.Scalar;
}

export type Update = {
  readonly parameters: Leaves;
  readonly state: OptimizerState<tf.Tensor>;
  /** Of the gradient before it was clipped. */
  readonly norm: tf.Scalar;
  /** bool[]: false where the batch was only added to the pending ones. */
  readonly updated: tf.Tensor;
};

/** `1 - β^t`, exact for small t too. */
const debias = (beta: number, updates: tf.Tensor) =>
  beta === 0 ? tf.scalar(1) : tf.neg(tf.expm1(tf.mul(tf.cast(updates, "float32"), Math.log(beta))));

/** What one update does to an array: its parameter, gradient and slots in, the new parameter and slots out. */
type Slots = { readonly parameter: tf.Tensor; readonly first: tf.Tensor; readonly second: tf.Tensor };
type Rule = (slots: Slots & { readonly gradient: tf.Tensor }, decays: boolean) => Slots;

/**
 * One AdamW update (Loshchilov & Hutter 2019, algorithm 2, with the schedule as learning rate):
 * `m ← β₁m + (1-β₁)g`, `v ← β₂v + (1-β₂)g²`, `p ← p - α (m̂ / (√v̂ + ε) + λp)`.
 */
function adamw(settings: Settings, updates: tf.Tensor, scale: tf.Tensor, learningRate: tf.Scalar): Rule {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const rootOfSecond = tf.sqrt(debias(beta2, updates));
  // α m̂ / (√v̂ + ε) with both corrections pulled out into scalars: two passes less over every parameter.
  const rate = tf.div(tf.mul(learningRate, rootOfSecond), debias(beta1, updates));
  const smallest = tf.mul(rootOfSecond, epsilon);
  const kept = tf.sub(1, tf.mul(learningRate, weightDecay));
  const firstShare = tf.mul(scale, 1 - beta1);
  const secondShare = tf.mul(scale, Math.sqrt(1 - beta2));
  return ({ parameter, gradient, first, second }, decays) => {
    const averaged = tf.add(tf.mul(first, beta1), tf.mul(gradient, firstShare));
    const squared = tf.add(tf.mul(second, beta2), tf.square(tf.mul(gradient, secondShare)));
    const decayed = decays && weightDecay > 0 ? tf.mul(parameter, kept) : parameter;
    const moved = tf.sub(decayed, tf.div(tf.mul(averaged, rate), tf.add(tf.sqrt(squared), smallest)));
    return { parameter: moved, first: averaged, second: squared };
  };
}

/** Vectors are many and short: laid end to end they take one operation where each would take its own. */
function updateVectors(rule: Rule, paths: readonly string[], from: Record<keyof Slots | "gradient", Leaves>) {
  if (paths.length === 0) return [];
  const sizes = paths.map((path) => from.parameter.get(path)!.size);
  const joined = (name: keyof typeof from) => tf.concat(paths.map((path) => tf.reshape(from[name].get(path)!, [-1])));
  const [parameter, gradient, first, second] = (["parameter", "gradient", "first", "second"] as const).map(joined);
  const next = rule({ parameter: parameter!, gradient: gradient!, first: first!, second: second! }, false);
  const parts = [next.parameter, next.first, next.second].map((long) => tf.split(long, sizes));
  return paths.map((path, index): [string, Slots] => {
    const { shape } = from.parameter.get(path)!;
    const [parameter, first, second] = parts.map((part) => tf.reshape(part[index]!, shape));
    return [path, { parameter: parameter!, first: first!, second: second! }];
  });
}

/** Scales the gradients to a global norm of at most `clipNorm` and updates; a parameter without a gradient stays. */
function update(
  settings: Settings,
  parameters: Leaves,
  gradients: Leaves,
  state: OptimizerState<tf.Tensor>,
  learningRate: tf.Scalar,
): Update {
  const { clipNorm } = settings;
  const norm = globalNorm(gradients);
  const scale = clipNorm === undefined ? tf.scalar(1) : tf.div(clipNorm, tf.maximum(norm, clipNorm));
  const updates = tf.add(state.updates, tf.scalar(1, "int32"));
  const rule = adamw(settings, updates, scale, learningRate);
  const first = new Map(flattenTree(state.first));
  const second = new Map(flattenTree(state.second));
  const from = { parameter: parameters, gradient: gradients, first, second };

  const isVector = (path: string) => parameters.get(path)!.rank < 2;
  const vectors = [...gradients.keys()].filter(isVector);
  const matrices = [...gradients.keys()].filter((path) => !isVector(path));
  const done = matrices.map((path): [string, Slots] => {
    const [parameter, gradient] = [parameters.get(path)!, gradients.get(path)!];
    return [path, rule({ parameter, gradient, first: first.get(path)!, second: second.get(path)! }, true)];
  });
  const moved = new Map(parameters);
  for (const [path, next] of [...done, ...updateVectors(rule, vectors, from)]) {
    moved.set(path, next.parameter);
    first.set(path, next.first);
    second.set(path, next.second);
  }
  return {
    parameters: moved,
    norm,
    updated: tf.scalar(true, "bool"),
    state: { updates, first: unflattenTree(first), second: unflattenTree(second) },
  };
}

/** Takes the gradients of one batch: updates at once, or when the last of `accumulate` batches has come. */
export function applyGradients(
  settings: Settings,
  parameters: Leaves,
  gradients: Leaves,
  state: OptimizerState<tf.Tensor>,
  learningRate: tf.Scalar,
): Update {
  const { pending } = state;
  if (pending === undefined) return update(settings, parameters, gradients, state, learningRate);
  const before = new Map(flattenTree(pending.gradients));
  const share = 1 / settings.accumulate;
  const sums = new Map([...gradients].map(([path, g]) => [path, tf.add(before.get(path)!, tf.mul(g, share))] as const));
  const batches = tf.add(pending.batches, tf.scalar(1, "int32"));
  const updated = tf.greaterEqual(batches, tf.scalar(settings.accumulate, "int32"));
  const done = update(settings, parameters, sums, state, learningRate);

  const choose = (after: tf.Tensor, otherwise: tf.Tensor) => tf.where(updated, after, otherwise);
  const chooseTree = (after: Tree<tf.Tensor>, otherwise: Tree<tf.Tensor>) => {
    const old = new Map(flattenTree(otherwise));
    return mapTree(after, (leaf, path) => choose(leaf, old.get(path)!));
  };
  const left = new Map([...before].map(([path, old]) => [path, sums.has(path) ? sums.get(path)! : old] as const));
  return {
    parameters: new Map([...parameters].map(([path, old]) => [path, choose(done.parameters.get(path)!, old)] as const)),
    norm: done.norm,
    updated,
    state: {
      updates: choose(done.state.updates, state.updates),
      first: chooseTree(done.state.first, state.first),
      second: chooseTree(done.state.second, state.second),
      pending: {
        batches: choose(tf.zerosLike(batches), batches),
        gradients: mapTree(unflattenTree(left), (sum) => choose(tf.zerosLike(sum), sum)),
      },
    },
  };
}
