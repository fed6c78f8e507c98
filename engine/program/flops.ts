/** @file Floating point operations of a program, counted as the field does: products and convolutions, two per step. */
import { sizeOf } from "../tree.ts";
import type { Node, Program } from "./program.ts";

function nodeFlops(node: Node, operands: readonly Node[]): number {
  const [first, second] = operands as [Node, Node];
  switch (node.op) {
    case "matmul":
      return 2 * sizeOf(node.shape) * first.shape.at(node.attributes.transposeA ? -2 : -1)!;
    case "conv2d": // each result sums over a window of all input channels of its group
      return 2 * sizeOf(node.shape) * sizeOf(second.shape.slice(0, 3));
    case "conv2dInputGradient":
      return 2 * sizeOf(first.shape) * sizeOf(second.shape.slice(0, 3));
    case "conv2dFilterGradient":
      return 2 * sizeOf(second.shape) * sizeOf(node.shape.slice(0, 3));
    default:
      return 0;
  }
}

/** Operations of one run; element by element work is not counted. */
export function countFlops(program: Program): number {
  return program.nodes.reduce(
    (total, node) =>
      total +
      nodeFlops(
        node,
        node.operands.map((index) => program.nodes[index]!),
      ),
    0,
  );
}
