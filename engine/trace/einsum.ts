/** @file Einsum as transposes and batched matrix products, two operands at a time. */
import type { Graph, Value } from "../program/graph.ts";
import * as p from "../program/primitives.ts";
import { sizeOf } from "../tree.ts";

type Term = { readonly value: Value; readonly letters: readonly string[] };

/** `"ij,jk->ik"` as letters per operand and of the result. */
export function parseEquation(equation: string): { operands: string[][]; result: string[] } {
  const [left, right] = equation.replaceAll(" ", "").split("->");
  if (left === undefined || right === undefined || equation.includes(".")) {
    throw new Error(`einsum: the equation must read "ab,bc->ac", got "${equation}"`);
  }
  return { operands: left.split(",").map((term) => [...term]), result: [...right] };
}

/** Sums over the letters that nobody else needs. */
function sumAway(graph: Graph, { value, letters }: Term, needed: ReadonlySet<string>): Term {
  const axes = letters.flatMap((letter, axis) => (needed.has(letter) ? [] : [axis]));
  if (axes.length === 0) return { value, letters };
  return { value: p.reduce(graph, "sum", value, axes), letters: letters.filter((letter) => needed.has(letter)) };
}

function arrange(graph: Graph, { value, letters }: Term, order: readonly string[]): Value {
  return p.transpose(
    graph,
    value,
    order.map((letter) => letters.indexOf(letter)),
  );
}

/** Product of two terms, summed over the shared letters that are not `needed`. */
function contract(graph: Graph, left: Term, right: Term, needed: ReadonlySet<string>): Term {
  const shared = left.letters.filter((letter) => right.letters.includes(letter));
  const batch = shared.filter((letter) => needed.has(letter));
  const inner = shared.filter((letter) => !needed.has(letter));
  const onlyLeft = left.letters.filter((letter) => !shared.includes(letter));
  const onlyRight = right.letters.filter((letter) => !shared.includes(letter));
  const size = new Map(
    [left, right].flatMap(({ letters, value }) => letters.map((l, axis) => [l, value.shape[axis]!])),
  );
  const count = (letters: readonly string[]) => sizeOf(letters.map((letter) => size.get(letter)!));
  const groups = [count(batch), count(onlyLeft), count(inner), count(onlyRight)] as const;
  const a = p.reshape(graph, arrange(graph, left, [...batch, ...onlyLeft, ...inner]), [
    groups[0],
    groups[1],
    groups[2],
  ]);
  const b = p.reshape(graph, arrange(graph, right, [...batch, ...inner, ...onlyRight]), [
    groups[0],
    groups[2],
    groups[3],
  ]);
  const letters = [...batch, ...onlyLeft, ...onlyRight];
  const product = batch.length === 0 ? matrixProduct(graph, a, b) : p.matmul(graph, a, b, false, false);
  return {
    value: p.reshape(
      graph,
      product,
      letters.map((letter) => size.get(letter)!),
    ),
    letters,
  };
}

/** Without batch letters the product is one plain matrix product. */
const matrixProduct = (graph: Graph, a: Value, b: Value) =>
  p.matmul(graph, p.reshape(graph, a, a.shape.slice(1)), p.reshape(graph, b, b.shape.slice(1)), false, false);

export function einsum(graph: Graph, inputs: Record<string, Value>, attributes: object): Value {
  const { operands, result } = parseEquation((attributes as { equation: string }).equation);
  let terms: Term[] = Object.values(inputs).map((value, index) => ({ value, letters: operands[index]! }));
  const neededBesides = (chosen: readonly Term[]) =>
    new Set([...result, ...terms.filter((term) => !chosen.includes(term)).flatMap((term) => term.letters)]);
  terms = terms.map((term) => sumAway(graph, term, neededBesides([term])));
  while (terms.length > 1) {
    const [left, right, ...rest] = terms as [Term, Term, ...Term[]];
    terms = [contract(graph, left, right, neededBesides([left, right])), ...rest];
  }
  return arrange(graph, sumAway(graph, terms[0]!, new Set(result)), result);
}
