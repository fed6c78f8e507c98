/** @file Parameters, optimiser slots and gradients are plain nested objects and arrays: trees. A leaf has a shape and a dtype. */

/** An array in the host's memory, row-major. `bool` is one byte per element, 0 or 1. */
export type HostArray = {
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
  readonly data: Float32Array | Int32Array | Uint8Array;
};

export type Tree<T> = T | { readonly [key: string]: Tree<T> } | readonly Tree<T>[];

function isBranch(value: unknown): value is Record<string, unknown> | readonly unknown[] {
  if (Array.isArray(value)) return true;
  if (typeof value !== "object" || value === null || ("shape" in value && "dtype" in value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const join = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

/** Lists the leaves with their paths (`blocks.0.attention.query.weight`), in the order of the keys. */
export function flattenTree<T>(tree: Tree<T>): [path: string, leaf: T][] {
  const leaves: [string, T][] = [];
  mapTree(tree, (leaf, path) => leaves.push([path, leaf]));
  return leaves;
}

/** Applies `change` to every leaf; the structure stays. */
export function mapTree<T, U>(tree: Tree<T>, change: (leaf: T, path: string) => U, path = ""): Tree<U> {
  if (!isBranch(tree)) return change(tree as T, path);
  if (Array.isArray(tree))
    return tree.map((item, index) => mapTree(item as Tree<T>, change, join(path, String(index))));
  const entries = Object.entries(tree as Record<string, Tree<T>>);
  return Object.fromEntries(entries.map(([key, item]) => [key, mapTree(item, change, join(path, key))]));
}

/** Builds the tree whose leaves are `leaves`; a branch whose keys are exactly 0..n-1 becomes an array. */
export function unflattenTree<T>(leaves: Iterable<readonly [path: string, leaf: T]>): Tree<T> {
  const root: Record<string, unknown> = Object.create(null);
  for (const [path, leaf] of leaves) {
    const keys = path.split(".");
    let branch = root;
    for (const key of keys.slice(0, -1)) {
      branch[key] ??= Object.create(null);
      branch = branch[key] as Record<string, unknown>;
    }
    branch[keys.at(-1)!] = leaf;
  }
  const settle = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== null) return value;
    const entries = Object.entries(value).map(([key, item]) => [key, settle(item)] as const);
    const isList = entries.length > 0 && entries.every(([key], index) => key === String(index));
    return isList ? entries.map(([, item]) => item) : Object.fromEntries(entries);
  };
  return settle(root) as Tree<T>;
}

/** Keeps the leaves whose path passes; a branch that loses a member becomes an object, so paths stay the same. */
export function pruneTree<T>(tree: Tree<T>, keep: (path: string) => boolean, path = ""): Tree<T> {
  if (!isBranch(tree)) return tree as T;
  const entries = Object.entries(tree as Record<string, Tree<T>>);
  const kept = entries
    .filter(([key, item]) => (isBranch(item) ? holdsKept(item, keep, join(path, key)) : keep(join(path, key))))
    .map(([key, item]) => [key, pruneTree(item, keep, join(path, key))] as const);
  if (Array.isArray(tree) && kept.length === tree.length) return kept.map(([, item]) => item);
  return Object.fromEntries(kept);
}

function holdsKept(tree: Tree<unknown>, keep: (path: string) => boolean, path: string): boolean {
  return flattenTree(tree).some(([leaf]) => keep(join(path, leaf)));
}

/** Replaces in `tree` the leaves that `changes` has under the same path. */
export function overlayTree<T>(tree: Tree<T>, changes: Tree<T>): Tree<T> {
  const byPath = new Map(flattenTree(changes));
  return mapTree(tree, (leaf, path) => byPath.get(path) ?? leaf);
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** `float32[64, 3]` for messages. */
export const describeArray = (array: { readonly shape: readonly number[]; readonly dtype: string }) =>
  `${array.dtype}[${array.shape.join(", ")}]`;

/** Makes a float32 leaf filled with `value`. */
export const filled = (shape: readonly number[], value: number): HostArray => ({
  shape,
  dtype: "float32",
  data: new Float32Array(sizeOf(shape)).fill(value),
});
