import { tf } from "#engine/index.ts";
import {
  asFloat,
  between,
  binary,
  cube,
  distinct,
  exactly,
  exactlyWhole,
  flat,
  float,
  type Given,
  type KernelCase,
  unary,
  whole,
} from "./kernel-case.ts";

const shaping: KernelCase[] = [
  unary("reshape", (x) => tf.reshape(x, [4, -1]), cube),
  unary("expandDims and squeeze", (x) => tf.squeeze(tf.expandDims(x, 1), [1]), cube),
  unary("transpose", (x) => tf.transpose(x, [2, 0, 1]), cube),
  unary("transpose twice", (x) => tf.transpose(tf.square(tf.transpose(x, [1, 2, 0])), [1, 0, 2]), cube),
  unary("slice", (x) => tf.slice(x, [0, 1, 1], [-1, 2, 2]), cube),
  unary("stridedSlice", (x) => tf.stridedSlice(x, [0, 0, 3], [2, 3, 0], [1, 2, -1]), cube),
  unary("stridedSlice with masks", (x) => tf.stridedSlice(x, [0, 1], [0, 2], [1, 1], 1, 1, 0, 0, 2), float(3, 4)),
  unary(
    "pad",
    (x) =>
      tf.pad(
        x,
        [
          [0, 0],
          [1, 0],
          [0, 2],
        ],
        0.5,
      ),
    cube,
  ),
  unary(
    "mirrorPad reflect",
    (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 1],
          [2, 1],
        ],
        "reflect",
      ),
    float(3, 4),
  ),
  unary(
    "mirrorPad symmetric",
    (x) =>
      tf.mirrorPad(
        x,
        [
          [2, 1],
          [0, 3],
        ],
        "symmetric",
      ),
    float(3, 4),
  ),
  binary("concat", (a, b) => tf.concat([a, b], 1), float(2, 3), float(2, 1)),
  binary("stack", (a, b) => tf.stack([a, b], 1)),
  unary("unstack", (x) => tf.add(tf.unstack(x, 1)[0]!, tf.unstack(x, 1)[2]!), cube),
  unary("split", (x) => tf.mul(tf.split(x, [1, 2], 1)[0]!, tf.split(x, [1, 2], 1)[1]!), float(2, 3)),
  unary("tile", (x) => tf.tile(x, [2, 3]), float(2, 2)),
  unary("tile of a size-1 axis", (x) => tf.tile(x, [1, 3]), float(2, 1)),
  unary("reverse", (x) => tf.reverse(x, [0, 2]), cube),
  unary("broadcastTo", (x) => tf.broadcastTo(x, [3, 2, 4]), float(2, 1)),
  flat(unary("depthToSpace", (x) => tf.depthToSpace(x as tf.Tensor4D, 2, "NHWC"), float(1, 2, 3, 8))),
  flat(
    unary(
      "zeros, ones and fills like",
      (x) => tf.addN([tf.zerosLike(x), tf.onesLike(x), tf.fill([2, 2], 3)]),
      float(2, 2),
    ),
  ),
];

const products: KernelCase[] = [
  binary("matMul", (a, b) => tf.matMul(a, b), float(2, 3), float(3, 4)),
  binary("matMul with both transposed", (a, b) => tf.matMul(a, b, true, true), float(3, 2), float(4, 3)),
  binary("matMul in batches", (a, b) => tf.matMul(a, b), float(2, 3, 4), float(2, 4, 2)),
  binary("matMul in batches, transposed", (a, b) => tf.matMul(a, b, true, true), float(2, 4, 3), float(2, 2, 4)),
  binary("matMul of rows by one matrix", (a, b) => tf.matMul(a, b), float(2, 3, 4), float(4, 2)),
  binary(
    "matMul of rows by one transposed matrix",
    (a, b) => tf.matMul(a, b, false, true),
    float(2, 3, 4),
    float(2, 4),
  ),
  binary("matMul with a broadcast batch", (a, b) => tf.matMul(a, b), float(1, 3, 4), float(5, 4, 2)),
  binary("matMul of one matrix by a batch", (a, b) => tf.matMul(a, b), float(3, 4), float(5, 4, 2)),
  binary(
    "matMul of a transposed tensor",
    (a, b) => tf.matMul(tf.transpose(a, [0, 2, 1]), b),
    float(2, 4, 3),
    float(2, 4, 2),
  ),
  binary("dot", (a, b) => tf.dot(a, b), float(4), float(4)),
  binary("outerProduct", (a, b) => tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D), float(3), float(2)),
  flat(binary("matMul of whole numbers", (a, b) => tf.matMul(a, b), whole(-4, 4, 2, 3), whole(-4, 4, 3, 2))),
  binary(
    "einsum of attention scores",
    (a, b) => tf.einsum("bnhd,bmhd->bhnm", a, b),
    float(2, 3, 2, 2),
    float(2, 4, 2, 2),
  ),
  binary("einsum outer product", (a, b) => tf.einsum("i,j->ji", a, b), float(2), float(3)),
  binary("einsum with a batch letter and no sum", (a, b) => tf.einsum("bi,bi->bi", a, b), float(2, 3), float(2, 3)),
  unary("einsum of one operand", (x) => tf.einsum("ijk->kj", x), cube),
];

const indexing: KernelCase[] = [
  {
    name: "gather with repeated rows",
    given: { x: float(4, 3), at: exactlyWhole([2, 0, 2, 3, 2, 2], [2, 3]) },
    evaluate: ({ x, at }) => tf.gather(x, at),
  },
  {
    name: "gather along an inner axis",
    given: { x: float(2, 4, 3), at: exactlyWhole([3, 3, 1]) },
    evaluate: ({ x, at }) => tf.gather(x, at, 1),
  },
  {
    name: "gather in batches",
    given: { x: float(2, 4, 3), at: exactlyWhole([3, 3, 1, 0], [2, 2]) },
    evaluate: ({ x, at }) => tf.gather(x, at, 1, 1),
  },
  {
    name: "gatherND",
    given: { x: float(3, 4, 2), at: exactlyWhole([0, 1, 2, 3, 0, 1], [3, 2]) },
    evaluate: ({ x, at }) => tf.gatherND(x, at),
  },
  {
    name: "scatterND adds repeated places",
    given: { updates: float(4, 2), at: exactlyWhole([1, 3, 1, 0], [4, 1]) },
    evaluate: ({ updates, at }) => tf.scatterND(at, updates, [5, 2]),
  },
  flat({
    name: "unsortedSegmentSum",
    given: { x: float(4, 2), at: exactlyWhole([1, 0, 1, 2]) },
    evaluate: ({ x, at }) => tf.unsortedSegmentSum(x, at, 3),
  }),
  flat({
    name: "oneHot",
    given: { at: exactlyWhole([1, 0, 3, 7, -1, 2], [2, 3]) },
    evaluate: ({ at }) => tf.stack([tf.oneHot(at, 4), tf.oneHot(at, 4, 5, -5)].map(asFloat)),
  }),
  unary("topk values", (x) => tf.topk(x, 2).values, distinct),
  flat(unary("topk indices", (x) => asFloat(tf.topk(x, 2).indices), distinct)),
];

type Conv = {
  readonly strides?: number | [number, number];
  readonly pad?: "same" | "valid" | number;
  readonly dilations?: number;
};
const convolution = (
  name: string,
  x: Given,
  filter: Given,
  { strides = 1, pad = "same", dilations = 1 }: Conv = {},
): KernelCase => ({
  name: `conv2d ${name}`,
  given: { x, filter },
  evaluate: ({ x, filter }) => tf.conv2d(x, filter, strides, pad, "NHWC", dilations),
});
const depthwise = (
  name: string,
  x: Given,
  filter: Given,
  { strides = 1, pad = "same", dilations = 1 }: Conv = {},
): KernelCase => ({
  name: `depthwiseConv2d ${name}`,
  given: { x, filter },
  evaluate: ({ x, filter }) => tf.depthwiseConv2d(x, filter, strides, pad, "NHWC", dilations),
});

/** 80 numbers, no two nearer than 1/8. */
const distinctPicture = exactly(
  Array.from({ length: 80 }, (_, index) => ((index * 37) % 81) / 8),
  [2, 5, 4, 2],
);

const pictures: KernelCase[] = [
  convolution("3 x 3", float(2, 5, 5, 2), float(3, 3, 2, 3)),
  convolution("valid", float(1, 5, 6, 2), float(3, 2, 2, 2), { pad: "valid" }),
  convolution("with stride 2", float(2, 6, 6, 2), float(3, 3, 2, 2), { strides: 2 }),
  convolution("with stride 2 that leaves a column out", float(1, 6, 7, 2), float(3, 3, 2, 2), {
    strides: 2,
    pad: "valid",
  }),
  convolution("5 x 5 with stride 2 on an odd picture", float(1, 7, 9, 1), float(5, 5, 1, 2), { strides: 2 }),
  convolution("with unequal strides", float(1, 6, 5, 2), float(3, 3, 2, 2), { strides: [1, 2] }),
  flat(convolution("dilated", float(1, 7, 7, 1), float(3, 3, 1, 2), { dilations: 2 })),
  convolution("with explicit padding", float(1, 5, 5, 1), float(3, 3, 1, 1), { pad: 2 }),
  convolution("1 x 1", float(2, 3, 3, 4), float(1, 1, 4, 2)),
  convolution("1 x 1 with stride 2", float(1, 5, 5, 2), float(1, 1, 2, 2), { strides: 2, pad: "valid" }),
  convolution("of patches", float(1, 6, 6, 2), float(3, 3, 2, 4), { strides: 3, pad: "valid" }),
  depthwise("3 x 3", float(2, 5, 5, 2), float(3, 3, 2, 1)),
  depthwise("with a multiplier and stride 2", float(2, 6, 5, 2), float(3, 3, 2, 3), { strides: 2 }),
  flat(depthwise("dilated", float(1, 7, 7, 2), float(3, 3, 2, 1), { dilations: 2, pad: "valid" })),
  {
    name: "conv2d with its bias and a relu",
    given: { x: between(-0.1, 0.1, 2, 5, 5, 2), filter: float(3, 3, 2, 3), bias: between(2, 3, 3) },
    evaluate: ({ x, filter, bias }) => tf.relu(tf.add(tf.conv2d(x, filter, 1, "same"), bias)),
  },
  {
    name: "conv2dTranspose",
    given: { x: float(2, 3, 3, 2), filter: float(3, 3, 4, 2) },
    evaluate: ({ x, filter }) => tf.conv2dTranspose(x, filter, [2, 6, 6, 4], 2, "same"),
  },
  {
    name: "separableConv2d",
    given: { x: float(1, 5, 5, 2), filter: float(3, 3, 2, 1), point: float(1, 1, 2, 3) },
    evaluate: ({ x, filter, point }) => tf.separableConv2d(x, filter, point, 1, "same"),
  },
  unary("conv1d", (x) => tf.conv1d(x as tf.Tensor3D, tf.ones([3, 2, 2]), 1, "same"), float(2, 6, 2)),
  unary("maxPool", (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "same"), distinctPicture),
  unary("maxPool with overlap", (x) => tf.maxPool(x as tf.Tensor4D, 3, 1, "valid"), distinctPicture),
  unary("avgPool", (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, "valid"), float(2, 5, 4, 2)),
  unary("avgPool at the border", (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, "same"), float(1, 5, 6, 2)),
  unary("resizeBilinear up", (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [7, 5]), float(2, 3, 4, 2)),
  unary(
    "resizeBilinear down, half pixels",
    (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [3, 2], false, true),
    float(1, 5, 6, 2),
  ),
  unary(
    "resizeBilinear, aligned corners",
    (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [6, 7], true),
    float(1, 3, 4, 1),
  ),
  unary("resizeNearestNeighbor", (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [5, 3]), float(1, 3, 4, 2)),
  unary(
    "resizeNearestNeighbor, half pixels",
    (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [5, 7], false, true),
    float(1, 3, 4, 2),
  ),
];

export const arrayCases: readonly KernelCase[] = [...shaping, ...products, ...indexing, ...pictures];
