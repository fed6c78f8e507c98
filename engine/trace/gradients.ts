/**
 * @file Gradients that TensorFlow.js 4.22 lacks (comparisons, einsum, topk, gatherND, scatterND, stridedSlice) or gets wrong:
 * broadcast matrix products, gather with a computed index, cumsum along an inner axis, mirror padding, average pooling
 * at the border, resizing with half-pixel centres. They are written in tensor operations, so they hold on any backend.
 */
import * as tf from "@tensorflow/tfjs";
import { parseEquation } from "./einsum.ts";
import { interpolationMatrix, type Resize } from "./interpolation.ts";
import { mirrorIndices } from "./shaping.ts";

/** Answers questions about its inputs, so it has no slope. */
const flat: Readonly<Record<string, readonly string[]>> = {
  Greater: ["a", "b"],
  GreaterEqual: ["a", "b"],
  Less: ["a", "b"],
  LessEqual: ["a", "b"],
  Equal: ["a", "b"],
  NotEqual: ["a", "b"],
  LogicalAnd: ["a", "b"],
  LogicalOr: ["a", "b"],
  LogicalNot: ["x"],
  IsNan: ["x"],
  IsInf: ["x"],
  IsFinite: ["x"],
  ArgMax: ["x"],
  ArgMin: ["x"],
  All: ["x"],
  Any: ["x"],
  Floor: ["x"],
  Ceil: ["x"],
  Round: ["x"],
  Sign: ["x"],
  Step: ["x"],
  OneHot: ["indices"],
};

const zerosFor = (tensor: tf.Tensor) => tf.zeros(tensor.shape, "float32");

/** Sums a gradient down to the shape that was broadcast. */
function unbroadcast(gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const extra = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && size > 1) ? [axis] : [],
  );
  return axes.length === 0 ? gradient : tf.reshape(tf.sum(gradient, axes, true), [...shape]);
}

function matmulGradient(dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor, attributes: tf.BatchMatMulAttrs) {
  const { transposeA, transposeB } = attributes;
  if (b.rank === 2 && a.rank > 2 && !transposeA) {
    // One matrix for all rows: its gradient is one product over all rows.
    const rows = tf.reshape(a, [-1, a.shape.at(-1)!]);
    const out = tf.reshape(dy, [-1, dy.shape.at(-1)!]);
    return {
      a: () => tf.matMul(dy, b, false, !transposeB),
      b: () => (transposeB ? tf.matMul(out, rows, true, false) : tf.matMul(rows, out, true, false)),
    };
  }
  const left = () => (transposeA ? tf.matMul(b, dy, transposeB, true) : tf.matMul(dy, b, false, !transposeB));
  const right = () => (transposeB ? tf.matMul(dy, a, true, transposeA) : tf.matMul(a, dy, !transposeA, false));
  return { a: () => unbroadcast(left(), a.shape), b: () => unbroadcast(right(), b.shape) };
}

/** Adds each slice of `dy` to the slice of f32[shape] that `indices` took it from. */
function ungather(dy: tf.Tensor, indices: tf.Tensor, shape: number[], axis: number): tf.Tensor {
  const outer = shape.slice(0, axis);
  const inner = shape.slice(axis + 1);
  const values = tf.reshape(dy, [tf.util.sizeFromShape(outer), indices.size, tf.util.sizeFromShape(inner)]);
  const first = tf.transpose(values, [1, 0, 2]);
  const sums = tf.unsortedSegmentSum(first, tf.reshape(tf.cast(indices, "int32"), [-1]) as tf.Tensor1D, shape[axis]!);
  return tf.reshape(tf.transpose(sums, [1, 0, 2]), shape);
}

function gatherGradient(dy: tf.Tensor, x: tf.Tensor, indices: tf.Tensor, { axis, batchDims }: tf.GatherV2Attrs) {
  const place = axis < 0 ? axis + x.rank : axis;
  if (!batchDims) return ungather(dy, indices, x.shape, place);
  const batches = tf.util.sizeFromShape(x.shape.slice(0, batchDims));
  const split = (tensor: tf.Tensor) => tf.unstack(tf.reshape(tensor, [batches, ...tensor.shape.slice(batchDims)]));
  const own = split(indices);
  const parts = split(dy).map((part, index) =>
    ungather(part, own[index]!, x.shape.slice(batchDims), place - batchDims),
  );
  return tf.reshape(tf.stack(parts), x.shape);
}

/** Sums an operand over the letters that no other term has, which TensorFlow.js cannot do within a product. */
function sumLonely(tensor: tf.Tensor, letters: string[], elsewhere: ReadonlySet<string>): [tf.Tensor, string] {
  const axes = letters.flatMap((letter, axis) => (elsewhere.has(letter) ? [] : [axis]));
  const left = letters.filter((letter) => elsewhere.has(letter)).join("");
  return [axes.length === 0 ? tensor : tf.sum(tensor, axes), left];
}

function einsumGradient(dy: tf.Tensor, operands: readonly tf.Tensor[], equation: string, index: number): tf.Tensor {
  const { operands: letters, result } = parseEquation(equation);
  const own = letters[index]!;
  const terms = [result, ...letters.filter((_, other) => other !== index)];
  const tensors = [dy, ...operands.filter((_, other) => other !== index)];
  const summed = terms.map((term, at) => {
    const elsewhere = new Set([...own, ...terms.filter((_, other) => other !== at).flat()]);
    return sumLonely(tensors[at]!, term, elsewhere);
  });
  const reachable = new Set(terms.flat());
  const known = own.filter((letter) => reachable.has(letter));
  const product = tf.einsum(
    `${summed.map(([, term]) => term).join(",")}->${known.join("")}`,
    ...summed.map(([tensor]) => tensor),
  );
  // A letter that only this operand has was summed alone: its gradient is the same all along it.
  const { shape } = operands[index]!;
  const kept = own.map((letter, axis) => (known.includes(letter) ? shape[axis]! : 1));
  return tf.broadcastTo(tf.reshape(product, kept), shape);
}

/** Puts each element back to where the slice took it from. */
function stridedSliceGradient(dy: tf.Tensor, x: tf.Tensor, attributes: tf.StridedSliceAttrs): tf.Tensor {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const places = tf.reshape(tf.range(0, x.size, 1, "int32"), x.shape);
  const taken = tf.stridedSlice(
    places,
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  const sums = tf.scatterND(tf.reshape(taken, [-1, 1]), tf.reshape(dy, [-1]), [x.size]);
  return tf.reshape(sums, x.shape);
}

function mirrorGradient(dy: tf.Tensor, x: tf.Tensor, { paddings, mode }: tf.MirrorPadAttrs): tf.Tensor {
  return paddings.reduce((gradient, [before, after], axis) => {
    if (before === 0 && after === 0) return gradient;
    const size = x.shape[axis]!;
    const shape = gradient.shape.map((n, other) => (other === axis ? size : n));
    return ungather(gradient, tf.tensor1d(mirrorIndices(size, [before, after], mode), "int32"), shape, axis);
  }, dy);
}

/** Average pooling does not count padding, so windows at the border share among fewer pixels. */
function avgPoolGradient(dy: tf.Tensor, x: tf.Tensor, attributes: tf.AvgPoolAttrs): tf.Tensor {
  const { filterSize, strides, pad } = attributes;
  const info = tf.backend_util.computePool2DInfo(
    x.shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
  );
  const covered = (count: number, stride: number, size: number, before: number, limit: number) =>
    Array.from({ length: count }, (_, index) => {
      const start = index * stride - before;
      return Math.min(start + size, limit) - Math.max(start, 0);
    });
  const rows = covered(info.outHeight, info.strideHeight, info.filterHeight, info.padInfo.top, info.inHeight);
  const columns = covered(info.outWidth, info.strideWidth, info.filterWidth, info.padInfo.left, info.inWidth);
  const area = info.filterHeight * info.filterWidth;
  const weights = rows.flatMap((height) => columns.map((width) => area / (height * width)));
  const weighted = tf.mul(dy, tf.tensor(weights, [1, rows.length, columns.length, 1]));
  return tf.engine().runKernel("AvgPoolGrad", { dy: weighted, input: x }, { filterSize, strides, pad }) as tf.Tensor;
}

function resizeGradient(dy: tf.Tensor, images: tf.Tensor, resize: Resize): tf.Tensor {
  const [batch, height, width, channels] = images.shape as [number, number, number, number];
  const [, rows, columns] = dy.shape as [number, number, number, number];
  const matrix = (source: number, target: number) =>
    tf.tensor2d(interpolationMatrix(source, target, resize), [target, source]);
  const narrow = tf.matMul(matrix(width, columns), tf.reshape(dy, [batch * rows, columns, channels]), true, false);
  const short = tf.matMul(matrix(height, rows), tf.reshape(narrow, [batch, rows, width * channels]), true, false);
  return tf.reshape(short, images.shape);
}

/** Puts each gradient of the k largest back where its value came from. */
function topKGradient(dy: tf.Tensor, x: tf.Tensor, k: number): tf.Tensor {
  const { indices } = tf.topk(x, k);
  const places = tf.oneHot(tf.cast(indices, "int32"), x.shape.at(-1)!); // [..., k, N]
  return tf.sum(tf.mul(tf.cast(places, "float32"), tf.expandDims(dy, -1)), -2);
}

type Gradients = Record<string, () => tf.Tensor>;

function register(
  kernelName: string,
  inputsToSave: string[],
  gradient: (dy: tf.Tensor, saved: tf.Tensor[], attributes: object) => Gradients,
): void {
  const gradFunc: tf.GradFunc = (dy, saved, attributes) => gradient([dy].flat()[0]!, saved, attributes);
  tf.registerGradient({ kernelName, inputsToSave, gradFunc });
}

/** Called once, before any gradient is taken. */
export function registerGradients(): void {
  for (const [kernelName, inputs] of Object.entries(flat)) {
    register(kernelName, [...inputs], (_, saved) =>
      Object.fromEntries(inputs.map((name, index) => [name, () => zerosFor(saved[index]!)])),
    );
  }
  register("BatchMatMul", ["a", "b"], (dy, [a, b], attributes) =>
    matmulGradient(dy, a!, b!, attributes as tf.BatchMatMulAttrs),
  );
  register("GatherV2", ["x", "indices"], (dy, [x, indices], attributes) => ({
    x: () => gatherGradient(dy, x!, indices!, attributes as tf.GatherV2Attrs),
    indices: () => zerosFor(indices!),
  }));
  register("Cumsum", ["x"], (dy, _, attributes) => {
    const { axis, exclusive, reverse } = attributes as tf.CumsumAttrs;
    return { x: () => tf.cumsum(dy, axis < 0 ? axis + dy.rank : axis, exclusive, !reverse) };
  });
  register("StridedSlice", ["x"], (dy, [x], attributes) => ({
    x: () => stridedSliceGradient(dy, x!, attributes as tf.StridedSliceAttrs),
  }));
  register("MirrorPad", ["x"], (dy, [x], attributes) => ({
    x: () => mirrorGradient(dy, x!, attributes as tf.MirrorPadAttrs),
  }));
  register("AvgPool", ["x"], (dy, [x], attributes) => ({
    x: () => avgPoolGradient(dy, x!, attributes as tf.AvgPoolAttrs),
  }));
  for (const [kernelName, method] of [
    ["ResizeBilinear", "bilinear"],
    ["ResizeNearestNeighbor", "nearest"],
  ] as const) {
    register(kernelName, ["images"], (dy, [images], attributes) => ({
      images: () => resizeGradient(dy, images!, { ...(attributes as tf.ResizeBilinearAttrs), method }),
    }));
  }
  register("GatherNd", ["params", "indices"], (dy, [params, indices]) => ({
    params: () => tf.scatterND(indices!, dy, params!.shape as [number]),
    indices: () => zerosFor(indices!),
  }));
  register("ScatterNd", ["indices", "updates"], (dy, [indices]) => ({
    indices: () => zerosFor(indices!),
    updates: () => tf.gatherND(dy, indices!),
  }));
  register("TopK", ["x"], (dy, [x], attributes) => ({
    x: () => topKGradient(dy, x!, (attributes as tf.TopKAttrs).k),
  }));
  tf.registerGradient({
    kernelName: "Einsum",
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const { equation } = attributes as unknown as tf.EinsumAttrs;
      const gradients = saved.map((_, index) => () => einsumGradient(dy as tf.Tensor, saved, equation, index));
      return gradients as unknown as Gradients;
    },
  });
}
