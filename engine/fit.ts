import { ShapeError } from "#core/errors.ts";
import { describeArray, flattenTree, type HostArray, type Tree } from "./tree.ts";

type Described = { readonly shape: readonly number[]; readonly dtype: string };

const list = (names: readonly string[]) =>
  names.length === 0
    ? "none"
    : names.slice(0, 12).join(", ") + (names.length > 12 ? ` and ${names.length - 12} more` : "");

/**
 * Checks that `found` has the leaves of `wanted`, no others, in the same shapes and dtypes.
 *
 * @throws ShapeError with four lists (as big_vision prints them): missing, unexpected, wrong shape, and how many fit
 */
export function checkFit(subject: string, wanted: Tree<Described>, found: Tree<Described>): void {
  const there = new Map(flattenTree(found));
  const leaves = flattenTree(wanted);
  const names = new Set(leaves.map(([path]) => path));
  const missing = leaves.filter(([path]) => !there.has(path)).map(([path]) => path);
  const unexpected = [...there.keys()].filter((path) => !names.has(path));
  const wrong = leaves.flatMap(([path, leaf]) => {
    const array = there.get(path);
    if (array === undefined || describeArray(array) === describeArray(leaf)) return [];
    return [`${path} must be ${describeArray(leaf)}, got ${describeArray(array)}`];
  });
  if (missing.length + unexpected.length + wrong.length === 0) return;
  throw new ShapeError(
    [
      `${subject}: must fit the model, but does not. Use the configuration that it was trained with.`,
      `  missing: ${list(missing)}`,
      `  unexpected: ${list(unexpected)}`,
      `  wrong shape: ${list(wrong)}`,
      `  ok: ${leaves.length - missing.length - wrong.length} of ${leaves.length}`,
    ].join("\n"),
  );
}

/** Checks that the numbers of an array are as many, and of the type, as its shape and dtype say. */
export function checkArray(subject: string, { shape, dtype, data }: HostArray): void {
  const type = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype];
  const size = shape.reduce((product, count) => product * count, 1);
  if (data instanceof type && data.length === size) return;
  const got = `${data.constructor.name} of ${data.length}`;
  throw new ShapeError(
    `${subject}: ${describeArray({ shape, dtype })} needs a ${type?.name} of ${size} numbers, got ${got}.`,
  );
}
