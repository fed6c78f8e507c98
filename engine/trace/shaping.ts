/** @file Kernels that move elements, and matrix products. */
import * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";
import * as p from "../program/primitives.ts";
import type { DType } from "../program/program.ts";
import type { AB, Lowerings, X } from "./lowering.ts";

type Parts = Record<string, Value>;

const axisOf = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);
const full = (graph: Graph, shape: readonly number[], value: number, dtype: DType) =>
  p.broadcast(graph, p.scalar(graph, value, dtype), shape);

function insertAxis(graph: Graph, x: Value, axis: number): Value {
  return p.reshape(graph, x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}

function split(graph: Graph, x: Value, axis: number, sizes: readonly number[]): Value[] {
  let start = 0;
  return sizes.map((size) => {
    const begin = x.shape.map((_, index) => (index === axis ? start : 0));
    start += size;
    return p.slice(
      graph,
      x,
      begin,
      x.shape.map((n, index) => (index === axis ? size : n)),
    );
  });
}

function stridedSlice(graph: Graph, { x }: X, attributes: tf.StridedSliceAttrs): Value {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const info = tf.slice_util.sliceInfo(
    [...x.shape],
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  if (info.isIdentity) return p.reshape(graph, x, info.finalShape);
  const shape = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
  const part = p.slice(graph, x, info.begin, shape, info.strides);
  return p.reshape(graph, part, info.finalShape);
}

/** Source index of each position of one mirrored axis. `reflect` leaves the border out, `symmetric` repeats it. */
export function mirrorIndices(size: number, [before, after]: readonly [number, number], mode: string): Int32Array {
  const offset = mode === "reflect" ? 0 : 1;
  return Int32Array.from({ length: before + size + after }, (_, index) => {
    const position = index - before;
    if (position < 0) return -position - offset;
    return position >= size ? 2 * (size - 1) - position + offset : position;
  });
}

function mirrorPad(graph: Graph, { x }: X, { paddings, mode }: tf.MirrorPadAttrs): Value {
  return paddings.reduce((value, [before, after], axis) => {
    if (before === 0 && after === 0) return value;
    const indices = mirrorIndices(x.shape[axis]!, [before, after], mode);
    return p.gather(graph, value, graph.constant(indices, [indices.length], "int32"), axis);
  }, x);
}

function depthToSpace(graph: Graph, { x }: X, { blockSize, dataFormat }: tf.DepthToSpaceAttrs): Value {
  if (dataFormat !== "NHWC") throw new Error("trace: depthToSpace takes NHWC pictures");
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const kept = channels / (blockSize * blockSize);
  const blocks = p.reshape(graph, x, [batch, height, width, blockSize, blockSize, kept]);
  const ordered = p.transpose(graph, blocks, [0, 1, 3, 2, 4, 5]);
  return p.reshape(graph, ordered, [batch, height * blockSize, width * blockSize, kept]);
}

/** Matrix products of int32 go through float32, as every fast kernel does. */
function matmul(graph: Graph, { a, b }: AB, { transposeA, transposeB }: tf.BatchMatMulAttrs): Value {
  const [left, right] = [p.cast(graph, a, "float32"), p.cast(graph, b, "float32")];
  return p.cast(graph, p.matmul(graph, left, right, transposeA, transposeB), a.dtype);
}

export const shaping: Lowerings = {
  BatchMatMul: matmul,
  Concat: (graph: Graph, inputs: Parts, { axis }: tf.ConcatAttrs) => {
    const parts = Object.values(inputs);
    return p.concat(graph, parts, axisOf(axis, parts[0]!.shape.length));
  },
  DepthToSpace: depthToSpace,
  ExpandDims: (graph: Graph, { input }: { input: Value }, { dim }: tf.ExpandDimsAttrs) =>
    insertAxis(graph, input, axisOf(dim, input.shape.length + 1)),
  Fill: (graph: Graph, _inputs: object, { shape, value, dtype }: tf.FillAttrs) =>
    full(graph, shape, value as number, (dtype ?? "float32") as DType),
  MirrorPad: mirrorPad,
  OnesLike: (graph: Graph, { x }: X) => full(graph, x.shape, 1, x.dtype),
  Pack: (graph: Graph, inputs: Parts, { axis }: tf.PackAttrs) => {
    const parts = Object.values(inputs);
    const place = axisOf(axis, parts[0]!.shape.length + 1);
    return p.concat(
      graph,
      parts.map((part) => insertAxis(graph, part, place)),
      place,
    );
  },
  PadV2: (graph: Graph, { x }: X, { paddings, constantValue }: tf.PadV2Attrs) =>
    p.pad(
      graph,
      x,
      paddings.map((pair) => pair[0]),
      paddings.map((pair) => pair[1]),
      constantValue,
    ),
  Reshape: (graph: Graph, { x }: X, { shape }: tf.ReshapeAttrs) =>
    p.reshape(graph, x, tf.util.inferFromImplicitShape([...shape], tf.util.sizeFromShape([...x.shape]))),
  Reverse: (graph: Graph, { x }: X, { dims }: tf.ReverseAttrs) => {
    const axes = tf.util.parseAxisParam(dims, [...x.shape]);
    const begin = x.shape.map((size, axis) => (axes.includes(axis) ? size - 1 : 0));
    return p.slice(
      graph,
      x,
      begin,
      x.shape,
      x.shape.map((_, axis) => (axes.includes(axis) ? -1 : 1)),
    );
  },
  Slice: (graph: Graph, { x }: X, { begin, size }: tf.SliceAttrs) => {
    const [start, shape] = tf.slice_util.parseSliceParams({ shape: x.shape } as tf.Tensor, begin, size);
    return p.slice(graph, x, start!, shape!);
  },
  SplitV: (graph: Graph, { x }: X, { numOrSizeSplits, axis }: tf.SplitVAttrs) => {
    const place = axisOf(axis, x.shape.length);
    const shaped = { shape: [...x.shape] } as tf.Tensor;
    return split(graph, x, place, tf.backend_util.prepareSplitSize(shaped, numOrSizeSplits, place));
  },
  StridedSlice: stridedSlice,
  Tile: (graph: Graph, { x }: X, { reps }: tf.TileAttrs) => p.tile(graph, x, reps),
  Transpose: (graph: Graph, { x }: X, { perm }: tf.TransposeAttrs) => p.transpose(graph, x, perm),
  Unpack: (graph: Graph, { value }: { value: Value }, { axis }: tf.UnpackAttrs) => {
    const place = axisOf(axis, value.shape.length);
    const ones = new Array<number>(value.shape[place]!).fill(1);
    const shape = value.shape.filter((_, index) => index !== place);
    return split(graph, value, place, ones).map((part) => p.reshape(graph, part, shape));
  },
  ZerosLike: (graph: Graph, { x }: X) => full(graph, x.shape, 0, x.dtype),
};
