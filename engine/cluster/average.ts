/** @file What the workers of a run exchange in a step: one vector with everything that must be equal on all of them. */
import { ConfigError } from "#core/errors.ts";
import type { HostInput, InputSpec } from "../inputs.ts";
import { tf } from "../tf.ts";
import { allMean } from "../trace/all-mean.ts";
import { flattenTree, mapTree, type Tree } from "../tree.ts";

/** Mean of each tensor over all workers, in one exchange. */
export function averageTensors(tensors: readonly tf.Tensor[]): tf.Tensor[] {
  const sizes = tensors.map(({ size }) => size);
  const packed = tf.concat(tensors.map((tensor) => tf.reshape(tensor, [-1]))) as tf.Tensor1D;
  return tf.split(allMean(packed), sizes).map((part, index) => tf.reshape(part, tensors[index]!.shape));
}

type Exchanged = {
  readonly loss: tf.Tensor;
  readonly outputs: Record<string, tf.Tensor>;
  readonly extra: Tree<tf.Tensor> | undefined;
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
};

/**
 * Averages gradients, the loss, float scalars among the outputs, and the next non-gradient state over all workers. Outputs
 * with more than one number stay those of this worker's samples.
 *
 * @param stop f32[] above 0 where this worker wants to end after this step; its mean is the output "stop"
 * @throws ConfigError when non-gradient state is not float32: it has no mean
 */
export function averageOverWorkers<T extends Exchanged>(name: string, local: T, stop: tf.Tensor): T {
  const scalars = Object.entries(local.outputs).filter(([, { dtype, size }]) => dtype === "float32" && size === 1);
  const extra = local.extra === undefined ? [] : flattenTree(local.extra);
  for (const [path, { dtype }] of extra) {
    if (dtype === "float32") continue;
    throw new ConfigError(
      `train step "${name}": extra state "${path}" is ${dtype}, and several workers can only average float32.`,
    );
  }
  const gradients = [...local.gradients];
  const all = [stop, local.loss, ...scalars, ...gradients, ...extra].map((item) =>
    item instanceof tf.Tensor ? item : item[1],
  );
  const [meanStop, loss, ...rest] = averageTensors(all);
  const means = (entries: readonly (readonly [string, tf.Tensor])[]) =>
    entries.map(([key]) => [key, rest.shift()!] as const);
  const outputs = { ...local.outputs, ...Object.fromEntries(means(scalars)), stop: meanStop! };
  const averaged = new Map(means(gradients));
  const nextExtra = new Map(means(extra));
  return {
    ...local,
    loss: loss!,
    outputs,
    gradients: averaged,
    extra: local.extra === undefined ? undefined : mapTree(local.extra, (_, path) => nextExtra.get(path)!),
  };
}

/** One worker's part of the samples: the specification of an input whose first axis is a multiple of the whole batch. */
export function shareSpec(name: string, spec: InputSpec, batch: number, workers: number): InputSpec {
  const [rows = 0, ...rest] = spec.shape;
  if (spec.shape.length === 0 || rows % batch !== 0) return spec;
  if (batch % workers !== 0) {
    throw new ConfigError(`train step "${name}": ${batch} samples cannot be split evenly among ${workers} workers.`);
  }
  return { ...spec, shape: [rows / workers, ...rest] };
}

/** This worker's rows of an input that holds those of all; one that holds its own alone is taken as it is. */
export function ownRows(value: HostInput, whole: InputSpec, own: InputSpec, index: number): HostInput {
  if (whole === own || typeof value === "number") return value;
  const bare = ArrayBuffer.isView(value);
  const data = bare ? value : value.data;
  const size = own.shape.reduce((product, count) => product * count, 1);
  const total = whole.shape.reduce((product, count) => product * count, 1);
  if (data.length !== total) return value;
  const rows = data.subarray(index * size, (index + 1) * size);
  return bare ? rows : { ...value, shape: own.shape, data: rows };
}
