import type { Episode, Feature } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";

type Column = Episode["columns"][string];

/** Number of values that one frame has of a feature. */
export const valuesPerFrame = (feature: Feature): number => feature.shape.reduce((product, size) => product * size, 1);

/** Columns that LeRobot adds by itself to every set. */
export const automaticFeatures: Readonly<Record<string, Feature>> = {
  timestamp: { dtype: "float32", shape: [1], names: null },
  frame_index: { dtype: "int64", shape: [1], names: null },
  episode_index: { dtype: "int64", shape: [1], names: null },
  index: { dtype: "int64", shape: [1], names: null },
  task_index: { dtype: "int64", shape: [1], names: null },
};

function allocate(feature: Feature, length: number): Float32Array | Float64Array | BigInt64Array | string[] {
  switch (feature.dtype) {
    case "float64":
    case "int32":
      return new Float64Array(length);
    case "int64":
      return new BigInt64Array(length);
    case "string":
      return new Array<string>(length);
    default:
      return new Float32Array(length);
  }
}

function set(column: ReturnType<typeof allocate>, index: number, value: unknown): void {
  if (column instanceof BigInt64Array) column[index] = BigInt(value as bigint | number);
  else if (Array.isArray(column)) column[index] = String(value);
  else column[index] = value === null || value === undefined ? Number.NaN : Number(value);
}

/**
 * Rows of a Parquet column as one flat array [T, ...shape]: f32, f64 (also for int32), bigint for int64, 0 and 1 for
 * bool. A missing number is NaN.
 *
 * @throws FormatError for a row of another length, or a null among integers
 */
export function flattenColumn(path: string, name: string, feature: Feature, rows: readonly unknown[]): Column {
  const width = valuesPerFrame(feature);
  const column = allocate(feature, rows.length * width);
  rows.forEach((row, frame) => {
    const values = Array.isArray(row) ? row.flat(4) : ArrayBuffer.isView(row) ? Array.from(row as Float32Array) : [row];
    if (values.length !== width) {
      throw new FormatError(
        path,
        `column "${name}", row ${frame}: must have ${width} values as info.json says, got ${values.length}. Correct one of them.`,
      );
    }
    values.forEach((value, index) => {
      if (value === null && column instanceof BigInt64Array) {
        throw new FormatError(path, `column "${name}", row ${frame}: must be a whole number, got null.`);
      }
      set(column, frame * width + index, value);
    });
  });
  return column;
}

/** The inverse of `flattenColumn`: rows as Parquet takes them. */
export function rowsOfColumn(feature: Feature, column: ArrayLike<number | bigint | string>): unknown[] {
  const width = valuesPerFrame(feature);
  const convert = (value: number | bigint | string | undefined) =>
    feature.dtype === "bool" ? value !== 0 : feature.dtype === "int64" ? BigInt(value!) : value;
  const build = (start: number, shape: readonly number[]): unknown => {
    const [size, ...rest] = shape;
    if (size === undefined) return convert(column[start]);
    const stride = rest.reduce((product, side) => product * side, 1);
    return Array.from({ length: size }, (_, index) => build(start + index * stride, rest));
  };
  const shape = isScalar(feature) ? [] : feature.shape;
  return Array.from({ length: width === 0 ? 0 : column.length / width }, (_, frame) => build(frame * width, shape));
}

/** A feature of shape [1] (or none) is a plain column, not a list. */
export const isScalar = (feature: Feature): boolean =>
  feature.shape.length === 0 || (feature.shape.length === 1 && feature.shape[0] === 1);
