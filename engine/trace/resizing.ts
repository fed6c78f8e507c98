/** @file Resize kernels; their gradients are written in tensor operations (gradients.ts) and need no kernel. */
import type * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";
import * as p from "../program/primitives.ts";
import { interpolationMatrix, type Resize } from "./interpolation.ts";
import type { Lowerings } from "./lowering.ts";

const resizeBy =
  (method: Resize["method"]) =>
  (graph: Graph, { images }: { images: Value }, { alignCorners, halfPixelCenters, size }: tf.ResizeBilinearAttrs) => {
    const [batch, height, width, channels] = images.shape as [number, number, number, number];
    const [rows, columns] = size;
    const resize = { method, alignCorners, halfPixelCenters };
    const matrix = (source: number, target: number) =>
      graph.constant(interpolationMatrix(source, target, resize), [target, source], "float32");
    // f32[B, height, width * C] -> f32[B, rows, width * C] -> f32[B * rows, columns, C]
    const lines = p.reshape(graph, p.cast(graph, images, "float32"), [batch, height, width * channels]);
    const tall = p.matmul(graph, matrix(height, rows), lines, false, false);
    const pixels = p.reshape(graph, tall, [batch * rows, width, channels]);
    const wide = p.matmul(graph, matrix(width, columns), pixels, false, false);
    return p.reshape(graph, wide, [batch, rows, columns, channels]);
  };

export const resizing: Lowerings = {
  ResizeBilinear: resizeBy("bilinear"),
  ResizeNearestNeighbor: resizeBy("nearest"),
};
