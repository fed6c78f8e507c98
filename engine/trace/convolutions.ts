/** @file Convolution and pooling kernels. Pictures are NHWC, filters HWIO; padding is made explicit here. */
import * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";
import * as p from "../program/primitives.ts";
import type { Convolution, Pool, Window } from "../program/program.ts";
import type { Lowerings, X } from "./lowering.ts";

type Shape4 = [number, number, number, number];
type Info = tf.backend_util.Conv2DInfo;
type Placement = {
  readonly strides: number | [number, number];
  readonly pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly dataFormat?: string;
};
type Filtered = { readonly x: Value; readonly filter: Value };

const shape4 = (shape: readonly number[]) => [...shape] as Shape4;

function windowOf(info: Info): Window {
  const { top, bottom, left, right } = info.padInfo;
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [top, bottom, left, right],
  };
}

function place(x: readonly number[], filter: readonly number[], attributes: Placement, depthwise: boolean) {
  const { strides, pad, dilations, dimRoundingMode, dataFormat } = attributes;
  if ((dataFormat ?? "NHWC") !== "NHWC") throw new Error(`convolution: takes NHWC pictures, got ${dataFormat}`);
  const info = tf.backend_util.computeConv2DInfo(
    shape4(x),
    shape4(filter),
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
  );
  return { info, convolution: { ...windowOf(info), groups: depthwise ? x[3]! : 1 } satisfies Convolution };
}

/** A depthwise filter [H, W, C, M] as the grouped filter [H, W, 1, C * M]. */
const grouped = (graph: Graph, filter: Value) =>
  p.reshape(graph, filter, [filter.shape[0]!, filter.shape[1]!, 1, filter.shape[2]! * filter.shape[3]!]);

const forward =
  (depthwise: boolean) =>
  (graph: Graph, { x, filter }: Filtered, attributes: Placement) => {
    const { info, convolution } = place(x.shape, filter.shape, attributes, depthwise);
    return p.conv2d(graph, x, depthwise ? grouped(graph, filter) : filter, convolution, info.outShape);
  };

const inputGradient =
  (depthwise: boolean) =>
  (graph: Graph, { dy, filter }: { dy: Value; filter: Value }, attributes: Placement & { inputShape: Shape4 }) => {
    const { convolution } = place(attributes.inputShape, filter.shape, attributes, depthwise);
    const operands = [dy, depthwise ? grouped(graph, filter) : filter];
    return graph.emit("conv2dInputGradient", operands, convolution, attributes.inputShape, dy.dtype);
  };

const filterGradient =
  (depthwise: boolean) =>
  (graph: Graph, { x, dy }: { x: Value; dy: Value }, attributes: Placement & { filterShape: Shape4 }) => {
    const { convolution } = place(x.shape, attributes.filterShape, attributes, depthwise);
    const [height, width, inputs, outputs] = attributes.filterShape;
    const shape = depthwise ? [height, width, 1, inputs * outputs] : attributes.filterShape;
    const gradient = graph.emit("conv2dFilterGradient", [x, dy], convolution, shape, x.dtype);
    return p.reshape(graph, gradient, attributes.filterShape);
  };

type PoolAttributes = Placement & { readonly filterSize: number | [number, number] };

function poolOf(x: Value, attributes: PoolAttributes): { info: Info; pool: Pool } {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const info = tf.backend_util.computePool2DInfo(shape4(x.shape), filterSize, strides, 1, pad, dimRoundingMode);
  return { info, pool: { ...windowOf(info), size: [info.filterHeight, info.filterWidth] } };
}

const pooling =
  (op: "maxPool" | "avgPool") =>
  (graph: Graph, { x }: X, attributes: PoolAttributes) => {
    const { info, pool } = poolOf(x, attributes);
    return graph.emit(op, [x], pool, info.outShape, x.dtype);
  };

type PoolGradient = { readonly dy: Value; readonly input: Value };

export const convolutions: Lowerings = {
  AvgPool: pooling("avgPool"),
  AvgPoolGrad: (graph: Graph, { dy, input }: PoolGradient, attributes: PoolAttributes) => {
    const { pool } = poolOf(input, attributes);
    const share = p.scalar(graph, 1 / (pool.size[0] * pool.size[1]));
    const spread = graph.emit("sumPoolGradient", [dy], pool, input.shape, dy.dtype);
    return p.binary(graph, "mul", spread, share);
  },
  Conv2D: forward(false),
  Conv2DBackpropFilter: filterGradient(false),
  Conv2DBackpropInput: inputGradient(false),
  DepthwiseConv2dNative: forward(true),
  DepthwiseConv2dNativeBackpropFilter: filterGradient(true),
  DepthwiseConv2dNativeBackpropInput: inputGradient(true),
  MaxPool: pooling("maxPool"),
  MaxPoolGrad: (graph: Graph, { dy, input }: PoolGradient, attributes: PoolAttributes) => {
    const { pool } = poolOf(input, attributes);
    return graph.emit("maxPoolGradient", [dy, input], pool, input.shape, dy.dtype);
  },
};
