/** @file Translates a program into a StableHLO module whose changing state is updated in place. */
import type { Program } from "../../program/program.ts";
import type { Precision } from "../executor.ts";
import type { Signature } from "../host/messages.ts";
import { type Hlo, HloBuilder, typeOf, typeText } from "./hlo-builder.ts";
import { elementOf, type HloEmitter } from "./hlo-emitter.ts";
import { hloEmitters } from "./hlo-emitters.ts";

/**
 * Arguments are the state and then the inputs, in the signature's order; results are the outputs and then the state that
 * changes. Each changing leaf gives its memory to the result that replaces it.
 */
export function toStableHlo(program: Program, signature: Signature, precision: Precision): string {
  const hlo = new HloBuilder();
  const changing = signature.state.filter((leaf) => leaf.next !== undefined);
  const results = [...signature.outputs.map(({ name }) => name), ...changing.map((leaf) => leaf.next!)];
  const argumentOf = new Map<string, Hlo>();
  const parameters = [...signature.state, ...signature.inputs].map(({ name, type, shape }, index) => {
    const value: Hlo = { name: `%arg${index}`, shape, element: elementOf[type] };
    argumentOf.set(name, value);
    const replacement = index < signature.state.length ? signature.state[index]!.next : undefined;
    const alias = replacement === undefined ? "" : ` {tf.aliasing_output = ${results.indexOf(replacement)} : i32}`;
    return `${value.name}: ${typeOf(value)}${alias}`;
  });

  const values: Hlo[] = [];
  for (const node of program.nodes) {
    if (node.op === "input") values.push(hlo.convert(argumentOf.get(node.attributes.name)!, elementOf[node.dtype]));
    else if (node.op === "constant") {
      values.push(hlo.constant(node.attributes.values, node.shape, elementOf[node.dtype]));
    } else {
      const emitter = hloEmitters[node.op] as unknown as HloEmitter<typeof node.op>;
      const operands = node.operands.map((operand) => values[operand]!);
      values.push(emitter({ hlo, precision }, node as never, operands));
    }
  }
  const nodeOf = new Map(program.outputs.map(({ name, node }) => [name, node]));
  const returned = results.map((name) => values[nodeOf.get(name)!]!);
  const types = returned.map(({ shape, element }) => typeText(shape, element)).join(", ");
  return [
    "module @program {",
    `func.func public @main(${parameters.join(", ")}) -> (${types}) {`,
    ...hlo.lines,
    `return ${returned.map(({ name }) => name).join(", ")} : ${types}`,
    "}",
    "}",
    "",
  ].join("\n");
}
