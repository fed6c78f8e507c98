/**
 * @file A whole train step as one program: forward, backward, clipping, optimiser and averaged weights. The executor
 * keeps everything that changes; per step only the batch goes in and the metrics come out.
 */
import { ConfigError, ShapeError, UserError } from "#core/errors.ts";
import { averageOverWorkers, ownRows, shareSpec } from "./cluster/average.ts";
import { type Compiled, compile } from "./compile.ts";
import type { Executor, Precision } from "./executors/executor.ts";
import type { HostInput, InputSpec } from "./inputs.ts";
import {
  applyGradients,
  initOptimizer,
  type Leaves,
  type OptimizerConfig,
  type OptimizerState,
  optimizerConfig,
  type Update,
} from "./optimizer/adamw.ts";
import { tf } from "./tf.ts";
import { describeArray, flattenTree, type HostArray, mapTree, pruneTree, type Tree } from "./tree.ts";

/**
 * The function that is trained.
 *
 * @returns `loss` f32[], what else should come back per step, and the next non-gradient state (a codebook, for example)
 */
export type Loss<P extends Tree<tf.Tensor>, E extends Tree<tf.Tensor>, I> = (
  parameters: P,
  inputs: I,
  extra: E,
) => { readonly loss: tf.Tensor; readonly outputs?: Readonly<Record<string, tf.Tensor>>; readonly extra?: E };

export type TrainStepOptions<Specs extends Readonly<Record<string, InputSpec>>> = {
  readonly name: string;
  readonly parameters: Tree<HostArray>;
  /** State that changes without gradients. */
  readonly extra?: Tree<HostArray>;
  readonly inputs: Specs;
  readonly optimizer: OptimizerConfig;
  readonly executor: Executor;
  /** Leaves for which it is false keep their values: no gradient, no slots. By default all are trained. */
  readonly trainable?: (path: string) => boolean;
  /** Keeps averaged weights: `e ← d e + (1 - d) p` after each update with `d = min(emaDecay, (1 + t) / (10 + t))`. */
  readonly emaDecay?: number;
  /** Samples per step over all workers: inputs whose first axis is a multiple of it are split among the workers. */
  readonly batch?: number;
  /** Of products and convolutions, forward and backward; by default float32. Weights and slots stay float32. */
  readonly precision?: Precision;
};

/** Everything that a run needs to go on. */
export type TrainState<T = HostArray> = {
  readonly parameters: Tree<T>;
  readonly extra: Tree<T>;
  readonly optimizer: OptimizerState<T>;
  /** Averaged trained parameters: `overlayTree(parameters, ema)` is the averaged model. */
  readonly ema?: Tree<T>;
};

export type TrainStep = {
  readonly name: string;
  readonly compiled: Compiled;
  /** Batches per update. */
  readonly accumulate: number;
  /** As the executor's; undefined where one process trains alone. */
  readonly cluster: Executor["cluster"];
  /** Trainable parameters that the loss does not depend on: they stay as they are. */
  readonly unreached: readonly string[];
  /**
   * One batch: gradients, and an update when it is the last of `accumulate` batches. With several workers all must call it,
   * each with the whole batch or with its own rows.
   *
   * @param scalars `stop`: with several workers, above 0 asks all to end after this step
   * @returns the loss function's outputs, `loss` f32[], and `gradNorm` f32[], the global norm before clipping; with several
   *   workers these and all scalars are means, and `stop` f32[] is above 0 where any of them asked for it
   */
  run(
    inputs: Readonly<Record<string, HostInput>>,
    scalars: { readonly learningRate: number; readonly stop?: number },
  ): Promise<Record<string, HostArray>>;
  state(): Promise<TrainState>;
  load(state: TrainState): Promise<void>;
  dispose(): Promise<void>;
};

type Gradients = {
  readonly loss: tf.Tensor;
  readonly outputs: Record<string, tf.Tensor>;
  readonly extra: Tree<tf.Tensor> | undefined;
  readonly gradients: Leaves;
};

/** Runs the loss and its gradients with respect to the trained leaves. */
function differentiate(
  name: string,
  trained: Leaves,
  forward: () => ReturnType<Loss<Tree<tf.Tensor>, Tree<tf.Tensor>, unknown>>,
): Gradients {
  // What leaves the forward pass besides the loss outlives its scope as a kept clone.
  const keep = (tensor: tf.Tensor) => tf.keep(tf.clone(tensor));
  let outputs: Record<string, tf.Tensor> = {};
  let extra: Tree<tf.Tensor> | undefined;
  const tensors = [...trained.values()];
  const { value: loss, grads } = tf.engine().gradients(
    () => {
      const result = forward();
      if (result.loss.dtype !== "float32" || result.loss.size !== 1) {
        throw new ShapeError(`train step "${name}": the loss must be float32[], got ${describeArray(result.loss)}.`);
      }
      outputs = Object.fromEntries(Object.entries(result.outputs ?? {}).map(([key, tensor]) => [key, keep(tensor)]));
      extra = result.extra === undefined ? undefined : mapTree(result.extra as Tree<tf.Tensor>, keep);
      return tf.reshape(result.loss, []);
    },
    tensors,
    undefined,
    true,
  );
  const reached = [...trained.keys()].flatMap((path, index) => {
    const gradient = grads[index] as tf.Tensor | undefined;
    return gradient == null ? [] : [[path, gradient] as const];
  });
  const release = (tensor: tf.Tensor) => {
    const clone = tf.clone(tensor);
    tensor.dispose();
    return clone;
  };
  return {
    loss,
    outputs: Object.fromEntries(Object.entries(outputs).map(([key, tensor]) => [key, release(tensor)])),
    extra: extra === undefined ? undefined : mapTree(extra, release),
    gradients: new Map(reached),
  };
}

/** `e + (1 - d)(p - e)` after an update, with a smaller d in the first ones: the initial weights are soon forgotten. */
function average(ema: Tree<tf.Tensor>, { parameters, state, updated }: Update, decay: number): Tree<tf.Tensor> {
  const count = tf.cast(state.updates, "float32");
  const warm = tf.div(tf.add(count, 1), tf.add(count, 10));
  const share = tf.mul(tf.sub(1, tf.minimum(warm, decay)), tf.cast(updated, "float32"));
  return mapTree(ema, (old, path) => tf.add(old, tf.mul(tf.sub(parameters.get(path)!, old), share)));
}

function checkOptions(
  name: string,
  options: TrainStepOptions<Readonly<Record<string, InputSpec>>>,
  trained: number,
): void {
  const { inputs, emaDecay, executor, batch } = options;
  for (const own of ["learningRate", "stop"]) {
    if (!(own in inputs)) continue;
    throw new ConfigError(`train step "${name}": the input "${own}" is its own; give yours another name.`);
  }
  if (executor.cluster !== undefined && batch === undefined) {
    throw new ConfigError(`train step "${name}": several workers need to know its batch. Train it in one process.`);
  }
  if (trained === 0) throw new ConfigError(`train step "${name}": no parameter is trainable.`);
  if (emaDecay !== undefined && !(emaDecay > 0 && emaDecay < 1)) {
    throw new ConfigError(`train step "${name}": emaDecay must be between 0 and 1, got ${emaDecay}.`);
  }
}

/**
 * Compiles a train step.
 *
 * @throws UserError when the loss cannot be traced or depends on no trainable parameter
 * @throws ShapeError when the loss is not a scalar or the next `extra` does not fit
 */
export async function compileTrainStep<
  P extends Tree<tf.Tensor>,
  E extends Tree<tf.Tensor>,
  Specs extends Readonly<Record<string, InputSpec>>,
>(loss: Loss<P, E, { readonly [K in keyof Specs]: tf.Tensor }>, options: TrainStepOptions<Specs>): Promise<TrainStep> {
  const { name, parameters, extra = {}, trainable = () => true, emaDecay, executor, precision = "float32" } = options;
  const settings = optimizerConfig.parse(options.optimizer);
  const trained = pruneTree(parameters, trainable);
  const trainedPaths = new Set(flattenTree(trained).map(([path]) => path));
  checkOptions(name, options, trainedPaths.size);

  const initial = {
    parameters,
    extra,
    optimizer: initOptimizer(trained, settings),
    ...(emaDecay === undefined ? {} : { ema: mapTree(trained, (leaf) => ({ ...leaf, data: leaf.data.slice() })) }),
  } satisfies TrainState;
  let unreached: string[] = [];

  const { cluster } = executor;
  const scalar: InputSpec = { shape: [], dtype: "float32" };
  const specs = Object.entries(options.inputs).map(([key, spec]) => {
    return [key, cluster === undefined ? spec : shareSpec(name, spec, options.batch!, cluster.count)] as const;
  });

  const step = (state: TrainState<tf.Tensor>, { learningRate, stop, ...inputs }: Record<string, tf.Tensor>) => {
    const leaves = new Map(flattenTree(state.parameters).filter(([path]) => trainedPaths.has(path)));
    const forward = () => loss(state.parameters as P, inputs as { [K in keyof Specs]: tf.Tensor }, state.extra as E);
    const local = differentiate(name, leaves, forward);
    const result = stop === undefined ? local : averageOverWorkers(name, local, stop);
    if (result.gradients.size === 0) {
      throw new UserError(`train step "${name}": the loss depends on no trainable parameter.`);
    }
    unreached = [...trainedPaths].filter((path) => !result.gradients.has(path));
    const done = applyGradients(settings, leaves, result.gradients, state.optimizer, learningRate as tf.Scalar);
    const next: TrainState<tf.Tensor> = {
      parameters: mapTree(state.parameters, (leaf, path) => done.parameters.get(path) ?? leaf),
      extra: result.extra ?? state.extra,
      optimizer: done.state,
      ...(state.ema === undefined ? {} : { ema: average(state.ema, done, emaDecay!) }),
    };
    return { state: next, outputs: { ...result.outputs, loss: result.loss, gradNorm: done.norm } };
  };

  const compiled = await compile(step, {
    name,
    state: initial,
    inputs: { ...Object.fromEntries(specs), learningRate: scalar, ...(cluster === undefined ? {} : { stop: scalar }) },
    executor,
    precision,
  });
  return {
    name,
    compiled,
    accumulate: settings.accumulate,
    cluster,
    unreached,
    run(inputs, { learningRate, stop = 0 }) {
      if (cluster === undefined) return compiled.run({ ...inputs, learningRate });
      const own = specs.flatMap(([key, spec]) => {
        const value = inputs[key];
        return value === undefined ? [] : [[key, ownRows(value, options.inputs[key]!, spec, cluster.index)] as const];
      });
      return compiled.run({ ...inputs, ...Object.fromEntries(own), learningRate, stop });
    },
    state: async () => (await compiled.state()) as unknown as TrainState,
    load: (state) => compiled.load(state as unknown as Tree<HostArray>),
    dispose: () => compiled.dispose(),
  };
}
