import { describe, expect, it } from "@jest/globals";
import { filled, flattenTree, mapTree, overlayTree, pruneTree, type Tree, unflattenTree } from "#engine/index.ts";

const tree = { blocks: [{ weight: 1, bias: 2 }, { weight: 3 }], head: { weight: 4 }, empty: {} };
const leaves: [string, number][] = [
  ["blocks.0.weight", 1],
  ["blocks.0.bias", 2],
  ["blocks.1.weight", 3],
  ["head.weight", 4],
];

describe("trees", () => {
  it("list their leaves by path in the order of the keys, and are built from them", () => {
    expect(flattenTree<number>(tree)).toEqual(leaves);
    const { empty: _, ...rest } = tree;
    expect(unflattenTree(leaves)).toEqual(rest);
  });

  it("take arrays and tensors as leaves", () => {
    const leaf = filled([2], 1);
    expect(flattenTree<unknown>({ a: leaf })).toEqual([["a", leaf]]);
    expect(flattenTree<unknown>(leaf)).toEqual([["", leaf]]);
  });

  it("keep their structure when mapped, empty branches too", () => {
    expect(mapTree<number, string>(tree, (value, path) => `${path}=${value}`)).toEqual({
      blocks: [{ weight: "blocks.0.weight=1", bias: "blocks.0.bias=2" }, { weight: "blocks.1.weight=3" }],
      head: { weight: "head.weight=4" },
      empty: {},
    });
  });

  it("keep the paths of what is left when pruned", () => {
    const pruned = pruneTree<number>(tree, (path) => path.includes("1.") || path.startsWith("head"));
    expect(flattenTree(pruned)).toEqual([leaves[2], leaves[3]]);
    expect(pruned).toEqual({ blocks: { 1: { weight: 3 } }, head: { weight: 4 } });
  });

  it("take the leaves of another tree where it has them", () => {
    const changes: Tree<number> = { blocks: { 1: { weight: 30 } } };
    expect(flattenTree(overlayTree<number>(tree, changes)).map(([, value]) => value)).toEqual([1, 2, 30, 4]);
  });

  it("survive names that objects know already", () => {
    const odd: [string, number][] = [
      ["__proto__.x", 1],
      ["constructor", 2],
    ];
    expect(flattenTree(unflattenTree(odd))).toEqual(odd);
  });
});
