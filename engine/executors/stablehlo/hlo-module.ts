/** @file Translates a program, or a part of one, into a StableHLO module. */
import type { Program } from "../../program/program.ts";
import type { Precision } from "../executor.ts";
import type { HostValue, Signature } from "../host/messages.ts";
import { type Hlo, HloBuilder, typeOf, typeText } from "./hlo-builder.ts";
import { elementOf, type HloEmitter } from "./hlo-emitter.ts";
import { hloEmitters } from "./hlo-emitters.ts";

/** An argument: the node whose value it is, how its numbers come, and the result that takes over its memory. */
export type Parameter = { readonly node: number; readonly type: HostValue["type"]; readonly becomes?: number };

/** Nodes that `results` need and that are no parameters themselves. */
export function neededNodes(program: Program, parameters: ReadonlySet<number>, results: Iterable<number>): Set<number> {
  const needed = new Set<number>();
  const open = [...results];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (needed.has(node) || parameters.has(node)) continue;
    needed.add(node);
    open.push(...program.nodes[node]!.operands);
  }
  return needed;
}

/**
 * @param results nodes whose values are returned
 * @returns text of a module whose function `main` computes `results` from `parameters`
 */
export function toStableHlo(
  program: Program,
  parameters: readonly Parameter[],
  results: readonly number[],
  precision: Precision,
): string {
  const hlo = new HloBuilder();
  const values = new Map<number, Hlo>();
  const declared = parameters.map(({ node, type, becomes }, index) => {
    const { shape, dtype } = program.nodes[node]!;
    const value: Hlo = { name: `%arg${index}`, shape, element: elementOf[type] };
    values.set(node, hlo.convert(value, elementOf[dtype]));
    const alias = becomes === undefined ? "" : ` {tf.aliasing_output = ${becomes} : i32}`;
    return `${value.name}: ${typeOf(value)}${alias}`;
  });
  const needed = neededNodes(program, new Set(values.keys()), results);
  for (const [index, node] of program.nodes.entries()) {
    if (!needed.has(index)) continue;
    if (node.op === "input") throw new Error(`the program's input "${node.attributes.name}" is no parameter`);
    if (node.op === "constant") {
      values.set(index, hlo.constant(node.attributes.values, node.shape, elementOf[node.dtype]));
      continue;
    }
    const emitter = hloEmitters[node.op] as unknown as HloEmitter<typeof node.op>;
    const operands = node.operands.map((operand) => values.get(operand)!);
    values.set(index, emitter({ hlo, precision }, node as never, operands));
  }
  const returned = results.map((node) => values.get(node)!);
  const types = returned.map(({ shape, element }) => typeText(shape, element)).join(", ");
  return [
    "module @program {",
    `func.func public @main(${declared.join(", ")}) -> (${types}) {`,
    ...hlo.lines,
    `return ${returned.map(({ name }) => name).join(", ")} : ${types}`,
    "}",
    "}",
    "",
  ].join("\n");
}

/** Nodes of a program's inputs and outputs by their names. */
export function namedNodes(program: Program): ReadonlyMap<string, number> {
  const inputs = program.nodes.flatMap((node, index) =>
    node.op === "input" ? [[node.attributes.name, index] as const] : [],
  );
  return new Map([...inputs, ...program.outputs.map(({ name, node }) => [name, node] as const)]);
}

/**
 * The whole program. Arguments are the state and then the inputs, in the signature's order; results are the outputs and
 * then the state that changes. Each changing leaf gives its memory to the result that replaces it.
 */
export function wholeModule(program: Program, signature: Signature, precision: Precision): string {
  const nodes = namedNodes(program);
  const changing = signature.state.filter((leaf) => leaf.next !== undefined);
  const results = [...signature.outputs.map(({ name }) => name), ...changing.map((leaf) => leaf.next!)];
  const parameters = [...signature.state, ...signature.inputs].map(({ name, type }, index): Parameter => {
    const next = signature.state[index]?.next;
    const node = nodes.get(name)!;
    return next === undefined ? { node, type } : { node, type, becomes: results.indexOf(next) };
  });
  const resultNodes = results.map((name) => nodes.get(name)!);
  return toStableHlo(program, parameters, resultNodes, precision);
}
