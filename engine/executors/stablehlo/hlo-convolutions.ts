/** @file Convolution, pooling and running sums in StableHLO, straight on NHWC pictures and HWIO filters. */
import type { Convolution, Pool } from "../../program/program.ts";
import type { Hlo, HloBuilder } from "./hlo-builder.ts";
import { typeOf, typeText } from "./hlo-builder.ts";
import { factor, type HloEmitter, type Writer } from "./hlo-emitter.ts";

type Pair = readonly [number, number];
type Placement = {
  readonly strides: Pair;
  readonly pads: readonly [Pair, Pair];
  readonly pictureDilation: Pair;
  readonly filterDilation: Pair;
  readonly groups?: number;
  readonly batchGroups?: number;
};

const one: Pair = [1, 1];
const listed = (pairs: readonly Pair[]) => pairs.map((pair) => `[${pair}]`).join(", ");

/** @param numbers how the axes of picture, filter and result are read, as StableHLO writes it */
function convolve(
  writer: Writer,
  picture: Hlo,
  filter: Hlo,
  numbers: string,
  { strides, pads, pictureDilation, filterDilation, groups = 1, batchGroups = 1 }: Placement,
  shape: readonly number[],
): Hlo {
  const [x, w] = [factor(writer, picture), factor(writer, filter)];
  const window = `stride = [${strides}], pad = [${listed(pads)}], lhs_dilate = [${pictureDilation}], rhs_dilate = [${filterDilation}]`;
  const counts = `{batch_group_count = ${batchGroups} : i64, feature_group_count = ${groups} : i64}`;
  const types = `(${typeOf(x)}, ${typeOf(w)}) -> ${typeText(shape, "f32")}`;
  const text = `stablehlo.convolution(${x.name}, ${w.name}) dim_numbers = ${numbers}, window = {${window}} ${counts}`;
  return writer.hlo.emit(`${text} : ${types}`, shape, "f32");
}

const conv2d: HloEmitter<"conv2d"> = (writer, { attributes, shape }, [x, filter]) => {
  const { strides, dilations, pads, groups } = attributes;
  const [top, bottom, left, right] = pads;
  const placement: Placement = {
    strides,
    pads: [
      [top, bottom],
      [left, right],
    ],
    pictureDilation: one,
    filterDilation: dilations,
    groups,
  };
  return convolve(writer, x!, filter!, "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]", placement, shape);
};

/** Per spatial axis: sizes of picture, result and filter, stride, dilation and padding before. */
function geometry({ strides, dilations, pads }: Convolution, picture: readonly number[], result: readonly number[]) {
  return (filter: readonly number[]) =>
    ([0, 1] as const).map((axis) => ({
      source: picture[axis + 1]!,
      places: result[axis + 1]!,
      extent: (filter[axis]! - 1) * dilations[axis],
      stride: strides[axis],
      before: pads[2 * axis]!,
    }));
}

/** A filter of G groups with its inputs and outputs changed: [h, w, C/G, O] to [h, w, O/G, C]. */
function swapGrouped(hlo: HloBuilder, filter: Hlo, groups: number): Hlo {
  const [height, width, inputs, outputs] = filter.shape as [number, number, number, number];
  const apart = hlo.reshape(filter, [height, width, inputs, groups, outputs / groups]);
  const swapped = hlo.transpose(apart, [0, 1, 4, 3, 2]);
  return hlo.reshape(swapped, [height, width, outputs / groups, groups * inputs]);
}

/** The gradient's picture, spread by the stride, convolved with the filter turned by half a turn. */
const inputGradient: HloEmitter<"conv2dInputGradient"> = (writer, { attributes, shape }, [dy, filter]) => {
  const { strides, dilations, groups } = attributes;
  const pads = geometry(
    attributes,
    shape,
    dy!.shape,
  )(filter!.shape).map(({ source, places, extent, stride, before }): Pair => {
    const low = extent - before;
    return [low, source - ((places - 1) * stride + 1) - low + extent];
  });
  const turned = writer.hlo.reverse(filter!, [0, 1]);
  const placement: Placement = {
    strides: one,
    pads: pads as [Pair, Pair],
    pictureDilation: strides,
    filterDilation: dilations,
    groups,
  };
  if (groups === 1) {
    return convolve(writer, dy!, turned, "[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]", placement, shape);
  }
  const swapped = swapGrouped(writer.hlo, turned, groups);
  return convolve(writer, dy!, swapped, "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]", placement, shape);
};

/** Batch and channels change places; strides become dilations. */
const filterGradient: HloEmitter<"conv2dFilterGradient"> = (writer, { attributes, shape }, [x, dy]) => {
  const { strides, dilations, groups } = attributes;
  const pads = geometry(
    attributes,
    x!.shape,
    dy!.shape,
  )(shape).map(
    ({ source, places, extent, stride, before }): Pair => [
      before,
      extent + (places - 1) * stride + 1 - source - before,
    ],
  );
  const placement: Placement = {
    strides: dilations,
    pads: pads as [Pair, Pair],
    pictureDilation: one,
    filterDilation: strides,
    batchGroups: groups,
  };
  return convolve(writer, x!, dy!, "[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]", placement, shape);
};

/** Attributes of a window over all axes. */
function windowText(size: readonly number[], strides: readonly number[], pads: readonly Pair[]): string {
  const dimensions = `window_dimensions = array<i64: ${size.join(", ")}>, window_strides = array<i64: ${strides.join(", ")}>`;
  return `${dimensions}, padding = dense<[${listed(pads)}]> : tensor<${pads.length}x2xi64>`;
}

function reduceWindow(
  hlo: HloBuilder,
  combiner: "add" | "maximum",
  x: Hlo,
  window: string,
  shape: readonly number[],
): Hlo {
  const start = hlo.scalar(combiner === "add" ? 0 : -Infinity, x.element);
  const types = `(${typeOf(x)}, ${typeOf(start)}) -> ${typeText(shape, x.element)}`;
  const text = `"stablehlo.reduce_window"(${x.name}, ${start.name}) <{${window}}> ${hlo.combine(combiner, x.element)}`;
  return hlo.emit(`${text} : ${types}`, shape, x.element);
}

const poolWindow = ({ size, strides, pads: [top, bottom, left, right] }: Pool) =>
  windowText(
    [1, ...size, 1],
    [1, ...strides, 1],
    [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
  );

/** Elements of a window of a picture that are not padding, for each place of the result. */
function windowCounts(
  picture: readonly number[],
  result: readonly number[],
  size: readonly [number, number],
  strides: readonly [number, number],
  pads: readonly [number, number, number, number],
): Float32Array {
  const along = (axis: 0 | 1) =>
    Array.from({ length: result[axis + 1]! }, (_, place) => {
      const start = place * strides[axis] - pads[2 * axis]!;
      return Math.min(start + size[axis], picture[axis + 1]!) - Math.max(start, 0);
    });
  const [rows, columns] = [along(0), along(1)];
  return Float32Array.from({ length: rows.length * columns.length }, (_, index) => {
    return rows[Math.floor(index / columns.length)]! * columns[index % columns.length]!;
  });
}

const avgPool: HloEmitter<"avgPool"> = ({ hlo }, { attributes, shape }, [x]) => {
  const total = reduceWindow(hlo, "add", x!, poolWindow(attributes), shape);
  const { size, strides, pads } = attributes;
  const counts = windowCounts(x!.shape, shape, size, strides, pads);
  const counted = hlo.constant(counts, [shape[1]!, shape[2]!], "f32");
  return hlo.map("divide", total, hlo.broadcastInto(counted, shape, [1, 2]));
};

/** Ties go to the first pixel of the window. */
const maxPoolGradient: HloEmitter<"maxPoolGradient"> = ({ hlo }, { attributes, shape }, [dy, x]) => {
  const scalar = typeText([], "f32");
  const pick =
    `({ ^bb0(%first: ${scalar}, %second: ${scalar}): ` +
    `%keeps = stablehlo.compare GE, %first, %second, FLOAT : (${scalar}, ${scalar}) -> tensor<i1> ` +
    "stablehlo.return %keeps : tensor<i1> }";
  const add = hlo.combine("add", "f32").slice(1);
  const start = hlo.scalar(0, "f32");
  const text = `"stablehlo.select_and_scatter"(${x!.name}, ${dy!.name}, ${start.name}) <{${poolWindow(attributes)}}>`;
  const types = `(${typeOf(x!)}, ${typeOf(dy!)}, ${typeOf(start)}) -> ${typeOf(x!)}`;
  return hlo.emit(`${text} ${pick}, ${add} : ${types}`, shape, "f32");
};

/** Each gradient is spread by the stride and summed over the windows that a pixel was in. */
const sumPoolGradient: HloEmitter<"sumPoolGradient"> = ({ hlo }, { attributes, shape }, [dy]) => {
  const { size, strides, pads } = attributes;
  const edges = ([0, 1] as const).map((axis): Pair => {
    const low = size[axis] - 1 - pads[2 * axis]!;
    const spread = (dy!.shape[axis + 1]! - 1) * strides[axis] + 1;
    return [low, shape[axis + 1]! + size[axis] - 1 - low - spread];
  });
  const [rows, columns] = edges as [Pair, Pair];
  const zero = hlo.scalar(0, "f32");
  const widths = `low = [0, ${rows[0]}, ${columns[0]}, 0], high = [0, ${rows[1]}, ${columns[1]}, 0], interior = [0, ${strides[0] - 1}, ${strides[1] - 1}, 0]`;
  const spread = [shape[0]!, shape[1]! + size[0] - 1, shape[2]! + size[1] - 1, shape[3]!];
  const types = `(${typeOf(dy!)}, ${typeOf(zero)}) -> ${typeText(spread, "f32")}`;
  const padded = hlo.emit(`stablehlo.pad ${dy!.name}, ${zero.name}, ${widths} : ${types}`, spread, "f32");
  const none = ([0, 1, 2, 3] as const).map((): Pair => [0, 0]);
  return reduceWindow(hlo, "add", padded, windowText([1, ...size, 1], [1, 1, 1, 1], none), shape);
};

/** A sum over all that came before: a window as long as the axis. */
const cumsum: HloEmitter<"cumsum"> = ({ hlo }, { attributes, shape }, [x]) => {
  const { axis, exclusive, reverse } = attributes;
  const size = shape[axis]!;
  const shift = exclusive ? 1 : 0;
  const pads = shape.map((_, index): Pair => {
    if (index !== axis) return [0, 0];
    return reverse ? [-shift, size - 1 + shift] : [size - 1 + shift, -shift];
  });
  const window = windowText(
    shape.map((_, index) => (index === axis ? size : 1)),
    shape.map(() => 1),
    pads,
  );
  return reduceWindow(hlo, "add", x!, window, shape);
};

export const convolutionEmitters = {
  avgPool,
  conv2d,
  conv2dFilterGradient: filterGradient,
  conv2dInputGradient: inputGradient,
  cumsum,
  maxPool: (({ hlo }, { attributes, shape }, [x]) =>
    reduceWindow(hlo, "maximum", x!, poolWindow(attributes), shape)) as HloEmitter<"maxPool">,
  maxPoolGradient,
  sumPoolGradient,
};
