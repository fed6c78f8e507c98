/** @file Kernels that read or write by index. */
import type * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";
import * as p from "../program/primitives.ts";
import type { DType } from "../program/program.ts";
import { sizeOf } from "../tree.ts";
import type { Lowerings, X } from "./lowering.ts";

type Indexed = { readonly x: Value; readonly indices: Value };

const range = (length: number) => Int32Array.from({ length }, (_, index) => index);

/** With `batchDims`, each batch reads its own slices: they become rows of one long axis. */
function gather(graph: Graph, { x, indices }: Indexed, { axis, batchDims }: tf.GatherV2Attrs): Value {
  const place = axis < 0 ? axis + x.shape.length : axis;
  const whole = p.cast(graph, indices, "int32");
  if (!batchDims) return p.gather(graph, x, whole, place);
  const batch = x.shape.slice(0, batchDims);
  const count = x.shape[place]!;
  const order = [...batch.keys(), place, ...x.shape.map((_, i) => i).filter((i) => i >= batchDims && i !== place)];
  const front = p.transpose(graph, x, order);
  const batches = sizeOf(batch);
  const rest = front.shape.slice(batchDims + 1);
  const rows = p.reshape(graph, front, [batches * count, ...rest]);
  const own = indices.shape.slice(batchDims);
  const starts = graph.constant(
    range(batches).map((index) => index * count),
    [batches, 1],
    "int32",
  );
  const flat = p.binary(graph, "add", p.reshape(graph, whole, [batches, sizeOf(own)]), starts);
  const taken = p.reshape(graph, p.gather(graph, rows, flat, 0), [...batch, ...own, ...rest]);
  // The indexed axes go back to where the source had its axis.
  const moved = place - batchDims;
  const back = taken.shape.map((_, index) => index);
  const indexed = back.splice(batchDims, own.length);
  back.splice(batchDims + moved, 0, ...indexed);
  return p.transpose(graph, taken, back);
}

function oneHot(graph: Graph, { indices }: { indices: Value }, attributes: tf.OneHotAttrs): Value {
  const { depth, onValue, offValue, dtype } = attributes as tf.OneHotAttrs & { dtype: DType };
  const classes = graph.constant(range(depth), [depth], "int32");
  const column = p.reshape(graph, p.cast(graph, indices, "int32"), [...indices.shape, 1]);
  const hit = p.compare(graph, "equal", column, classes);
  if (onValue === 1 && offValue === 0) return p.cast(graph, hit, dtype ?? "float32");
  return p.select(graph, hit, p.scalar(graph, onValue, dtype), p.scalar(graph, offValue, dtype));
}

const scatter = (graph: Graph, indices: Value, updates: Value, shape: readonly number[]) =>
  graph.emit("scatterNd", [indices, updates], {}, shape, updates.dtype);

export const indexing: Lowerings = {
  GatherNd: (graph: Graph, { params, indices }: { params: Value; indices: Value }) => {
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(indices.shape.at(-1)!)];
    return graph.emit("gatherNd", [params, p.cast(graph, indices, "int32")], {}, shape, params.dtype);
  },
  GatherV2: gather,
  OneHot: oneHot,
  ScatterNd: (graph: Graph, { indices, updates }: { indices: Value; updates: Value }, { shape }: tf.ScatterNdAttrs) =>
    scatter(graph, indices, updates, shape),
  TopK: (graph: Graph, { x }: X, { k }: tf.TopKAttrs) => {
    const shape = [...x.shape.slice(0, -1), k];
    return [graph.emit("topKValues", [x], {}, shape, x.dtype), graph.emit("topKIndices", [x], {}, shape, "int32")];
  },
  UnsortedSegmentSum: (
    graph: Graph,
    { x, segmentIds }: { x: Value; segmentIds: Value },
    { numSegments }: tf.UnsortedSegmentSumAttrs,
  ) => {
    const rest = x.shape.slice(segmentIds.shape.length);
    return scatter(graph, p.reshape(graph, segmentIds, [...segmentIds.shape, 1]), x, [numSegments, ...rest]);
  },
};
