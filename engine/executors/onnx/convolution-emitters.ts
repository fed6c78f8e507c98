/** @file Convolution and pooling in ONNX, whose pictures are NCHW and filters OIHW. */
import type { Convolution, Node, Pool } from "../../program/program.ts";
import { sizeOf } from "../../tree.ts";
import type { Emitter } from "./emitter.ts";
import type { OnnxBuilder, Operand } from "./onnx-builder.ts";

const toNchw = (onnx: OnnxBuilder, name: string) => onnx.emit("Transpose", [name], { perm: [0, 3, 1, 2] });
const toNhwc = (onnx: OnnxBuilder, name: string) => onnx.emit("Transpose", [name], { perm: [0, 2, 3, 1] });
const toOihw = (onnx: OnnxBuilder, name: string) => onnx.emit("Transpose", [name], { perm: [3, 2, 0, 1] });
const reshape = (onnx: OnnxBuilder, name: string, shape: readonly number[]) =>
  onnx.emit("Reshape", [name, onnx.integers(shape)]);

function windowAttributes({ strides, dilations, pads: [top, bottom, left, right] }: Pool | Convolution) {
  return { strides, dilations, pads: [top, left, bottom, right] };
}

/** The convolution itself; `bias` f32[channels] is added for free where given. */
export function emitConvolution(
  onnx: OnnxBuilder,
  attributes: Convolution,
  picture: string,
  filter: string,
  bias: readonly string[] = [],
): string {
  const inputs = [toNchw(onnx, picture), toOihw(onnx, filter), ...bias];
  return toNhwc(onnx, onnx.emit("Conv", inputs, { ...windowAttributes(attributes), group: attributes.groups }));
}

/** Without stride: the gradients' convolution with the filter turned by half a turn, which runs faster than a transposed one. */
function turnedConvolution(onnx: OnnxBuilder, { pads }: Convolution, dy: Operand, filter: Operand): string {
  const [height, width] = filter.shape as [number, number];
  const ends = [-(2 ** 31), -(2 ** 31)];
  const operands = [[-1, -1], ends, [0, 1], [-1, -1]].map((values) => onnx.integers(values));
  const turned = onnx.emit("Slice", [filter.name, ...operands]);
  const weights = onnx.emit("Transpose", [turned], { perm: [2, 3, 0, 1] }); // [I, O, h, w]
  const [top, bottom, left, right] = pads;
  const around = [height - 1 - top, width - 1 - left, height - 1 - bottom, width - 1 - right];
  return toNhwc(onnx, onnx.emit("Conv", [toNchw(onnx, dy.name), weights], { pads: around }));
}

const inputGradient: Emitter<"conv2dInputGradient"> = (onnx, { attributes, shape }, [dy, filter]) => {
  const { strides, dilations, pads, groups } = attributes;
  const fits = pads.every((pad, side) => pad < filter!.shape[side < 2 ? 0 : 1]!);
  if (groups === 1 && strides[0] === 1 && strides[1] === 1 && fits) {
    return turnedConvolution(onnx, attributes, dy!, filter!);
  }
  // Rows and columns of the picture that the strided windows never reached.
  const missed = [0, 1].map((axis) => {
    const extent = (filter!.shape[axis]! - 1) * dilations[axis]! + 1;
    const reached = (dy!.shape[axis + 1]! - 1) * strides[axis]! + extent - pads[2 * axis]! - pads[2 * axis + 1]!;
    return shape[axis + 1]! - reached;
  });
  const options = { ...windowAttributes(attributes), group: groups, output_padding: missed };
  return toNhwc(onnx, onnx.emit("ConvTranspose", [toNchw(onnx, dy!.name), toOihw(onnx, filter!.name)], options));
};

/**
 * The filter's gradient is itself a convolution: batch and channels change places, strides become dilations. The rows of
 * an NHWC picture are read as they lie, W * C numbers in which one step to the right is C numbers long: nothing is moved,
 * and all window places and channels are columns of one matrix product.
 */
const filterGradient: Emitter<"conv2dFilterGradient"> = (onnx, node, [x, dy]) => {
  const { attributes, shape } = node;
  const { strides, groups } = attributes;
  if (groups !== 1) return groupedFilterGradient(onnx, node, [x!, dy!]);
  const [height, width, channels, outputs] = shape as [number, number, number, number];
  const [batch, rows, columns] = x!.shape as [number, number, number];
  const [top, bottom, left, right] = attributes.pads;
  const picture = reshape(onnx, x!.name, [1, batch, rows, columns * channels]);
  const windows = onnx.emit("Transpose", [dy!.name], { perm: [3, 0, 1, 2] }); // [O, B, h, w]
  const result = onnx.emit("Conv", [picture, windows], {
    pads: [top, left * channels, bottom, right * channels],
    dilations: [strides[0], strides[1] * channels],
  });
  // Windows that do not tile the picture leave surplus rows and columns.
  const corner = [onnx.integers([0, 0]), onnx.integers([height, width * channels]), onnx.integers([2, 3])];
  const cropped = onnx.emit("Slice", [result, ...corner]); // [1, O, h, w * C]
  const gradient = onnx.emit("Transpose", [cropped], { perm: [0, 2, 3, 1] });
  return reshape(onnx, gradient, [height, width, channels, outputs]);
};

/** With G groups the groups stay apart as channels of one picture. */
function groupedFilterGradient(
  onnx: OnnxBuilder,
  { attributes, shape }: Node<"conv2dFilterGradient">,
  [x, dy]: readonly [Operand, Operand],
): string {
  const { strides, groups } = attributes;
  const [height, width] = shape as [number, number];
  const [batch, rows, columns, channels] = x.shape as [number, number, number, number];
  const swap = (name: string) => onnx.emit("Transpose", [name], { perm: [3, 0, 1, 2] });
  const picture = reshape(onnx, swap(x.name), [1, channels * batch, rows, columns]);
  const windows = windowAttributes({ ...attributes, strides: [1, 1], dilations: strides });
  const result = onnx.emit("Conv", [picture, swap(dy.name)], { ...windows, group: groups });
  const corner = [onnx.integers([0, 0]), onnx.integers([height, width]), onnx.integers([2, 3])];
  return onnx.emit("Transpose", [onnx.emit("Slice", [result, ...corner])], { perm: [2, 3, 0, 1] });
}

const poolAttributes = (pool: Pool) => {
  const { strides, pads } = windowAttributes(pool);
  return { strides, pads, kernel_shape: pool.size };
};

/** MaxPool also tells which pixel of the whole NCHW array won each window. */
const maxPoolGradient: Emitter<"maxPoolGradient"> = (onnx, { attributes, shape }, [dy, x]) => {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const size = sizeOf(shape);
  const [, winners] = onnx.emitAll("MaxPool", [toNchw(onnx, x!.name)], poolAttributes(attributes), 2);
  const zeros = onnx.emit("Expand", [onnx.constant([0], [], "float32"), onnx.integers([size])]);
  const flat = (name: string) => reshape(onnx, name, [sizeOf(dy!.shape)]);
  const inputs = [zeros, flat(winners!), flat(toNchw(onnx, dy!.name))];
  const sums = onnx.emit("ScatterElements", inputs, { axis: 0, reduction: "add" });
  return toNhwc(onnx, reshape(onnx, sums, [batch, channels, height, width]));
};

const sumPoolGradient: Emitter<"sumPoolGradient"> = (onnx, { attributes, shape }, [dy]) => {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const { strides, pads, size } = attributes;
  const [, rows, columns] = dy!.shape as [number, number, number, number];
  const missed = [0, 1].map((axis) => {
    const reached = ([rows, columns][axis]! - 1) * strides[axis]! + size[axis]! - pads[2 * axis]! - pads[2 * axis + 1]!;
    return [height, width][axis]! - reached;
  });
  const ones = onnx.constant(new Float32Array(size[0] * size[1]).fill(1), [1, 1, ...size], "float32");
  const planes = reshape(onnx, toNchw(onnx, dy!.name), [batch * channels, 1, rows, columns]);
  const options = { ...windowAttributes(attributes), output_padding: missed };
  const spread = onnx.emit("ConvTranspose", [planes, ones], options);
  return toNhwc(onnx, reshape(onnx, spread, [batch, channels, height, width]));
};

export const convolutionEmitters = {
  avgPool: ((onnx, { attributes }, [x]) =>
    toNhwc(onnx, onnx.emit("AveragePool", [toNchw(onnx, x!.name)], poolAttributes(attributes)))) as Emitter<"avgPool">,
  conv2d: ((onnx, { attributes }, [x, filter]) =>
    emitConvolution(onnx, attributes, x!.name, filter!.name)) as Emitter<"conv2d">,
  conv2dFilterGradient: filterGradient,
  conv2dInputGradient: inputGradient,
  maxPool: ((onnx, { attributes }, [x]) =>
    toNhwc(
      onnx,
      onnx.emitAll("MaxPool", [toNchw(onnx, x!.name)], poolAttributes(attributes), 2)[0]!,
    )) as Emitter<"maxPool">,
  maxPoolGradient,
  sumPoolGradient,
};
