import { tf } from "../tf.ts";
import { barrier } from "../trace/barrier.ts";
import { flattenTree, mapTree, type Tree } from "../tree.ts";

/** Gradients within a backward pass that is under way: TensorFlow.js keeps one tape, which is put aside meanwhile. */
function nestedGradients(fn: () => tf.Tensor, inputs: tf.Tensor[], dy: tf.Tensor): (tf.Tensor | undefined)[] {
  const { state } = tf.engine();
  const { activeTape } = state;
  try {
    return tf.engine().gradients(fn, inputs, dy, true).grads;
  } finally {
    state.activeTape = activeTape;
  }
}

/**
 * `layer(params, x)`, of which the backward pass keeps `x` alone and computes the rest again (Chen et al. 2016, "Training
 * deep nets with sublinear memory cost"): around a third more work for memory that no longer grows with what is inside.
 *
 * @param layer must depend on tensors through `params` and `x` alone
 */
export function recompute<P extends Tree<tf.Tensor>, T extends tf.Tensor>(
  layer: (params: P, x: T) => T,
  params: P,
  x: T,
): T {
  const leaves = flattenTree<tf.Tensor>(params);
  const rebuild = (tensors: readonly tf.Tensor[]) => {
    const byPath = new Map(leaves.map(([path], index) => [path, tensors[index]!] as const));
    return mapTree<tf.Tensor, tf.Tensor>(params, (_, path) => byPath.get(path)!) as P;
  };
  const run = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const inputs = args as tf.Tensor[];
    save(inputs);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      // Everything downstream hangs on the held input, so nothing of it can be shared with the forward pass.
      const again = [...saved.slice(0, -1), barrier(saved.at(-1)!, [dy])];
      const found = nestedGradients(() => layer(rebuild(again), again.at(-1) as T), again, dy);
      const gradients = found.map((gradient, index) => gradient ?? tf.zerosLike(again[index]!));
      // This layer's gradients are finished, and its inside is forgotten, before the layer below begins.
      const below = gradients.pop()!;
      return [...gradients, barrier(below, gradients)];
    };
    return { value: layer(rebuild(inputs), inputs.at(-1) as T), gradFunc };
  });
  return run(...leaves.map(([, tensor]) => tensor), x) as T;
}
