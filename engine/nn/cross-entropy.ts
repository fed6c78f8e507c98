import { ShapeError } from "#core/errors.ts";
import { tf } from "../tf.ts";
import { describeArray } from "../tree.ts";

export type CrossEntropyOptions = {
  /** f32[N] or bool[N]: weight of each row in the mean. */
  readonly mask?: tf.Tensor;
  /** Share of each target spread evenly over all classes (Szegedy et al. 2016, section 7), in [0, 1). */
  readonly smoothing?: number;
};

/** `-Σ target log softmax(logits)` per row, f32[N]; the gradient is `softmax(logits) - target`. */
const rowLosses = tf.customGrad((...args) => {
  const [logits, targets, save] = args as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const logTotals = tf.log(tf.sum(tf.exp(shifted), 1, true)); // [N, 1]
  const logShares = tf.sub(shifted, logTotals);
  save([logShares, targets]);
  const gradFunc = (dy: tf.Tensor, [logs, wanted]: tf.Tensor[]) => {
    const miss = tf.sub(tf.exp(logs!), wanted!);
    return [tf.mul(tf.expandDims(dy, 1), miss), tf.zerosLike(wanted!)];
  };
  return { value: tf.neg(tf.sum(tf.mul(logShares, targets), 1)), gradFunc };
});

/**
 * Mean cross-entropy in nats.
 *
 * @param logits f32[N, V]
 * @param labels i32[N] in [0, V)
 * @returns the mean over the rows, or the mean weighted by `mask` (0 when every weight is 0)
 * @throws ShapeError when N differs
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D, options: CrossEntropyOptions = {}): tf.Scalar {
  const { mask, smoothing = 0 } = options;
  const [rows, classes] = logits.shape;
  if (labels.rank !== 1 || labels.shape[0] !== rows || (mask !== undefined && mask.size !== rows)) {
    const given = mask === undefined ? "" : ` and a mask ${describeArray(mask)}`;
    throw new ShapeError(
      `crossEntropy: ${describeArray(logits)} needs ${rows} labels, got ${describeArray(labels)}${given}.`,
    );
  }
  const oneHot = tf.oneHot(labels, classes, 1 - smoothing + smoothing / classes, smoothing / classes, "float32");
  const losses = rowLosses(logits, oneHot);
  if (mask === undefined) return tf.mean(losses);
  const weights = tf.reshape(tf.cast(mask, "float32"), [rows]);
  const total = tf.sum(weights);
  return tf.div(tf.sum(tf.mul(losses, weights)), tf.where(tf.greater(total, 0), total, 1)) as tf.Scalar;
}
