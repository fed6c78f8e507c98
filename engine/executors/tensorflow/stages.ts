/**
 * @file Cuts a program at its exchange between workers: what comes before and what comes after are compiled apart, because
 * the exchange itself must stay outside of compiled code.
 */
import type { Program } from "../../program/program.ts";
import type { Precision } from "../executor.ts";
import type { HostValue, Signature } from "../host/messages.ts";
import { namedNodes, neededNodes, type Parameter, toStableHlo } from "../stablehlo/hlo-module.ts";

/** One compiled part: values by name in and out. */
export type Stage = {
  /** StableHLO text; arguments as in `takes`, results as in `gives`. */
  readonly module: string;
  readonly takes: readonly HostValue[];
  readonly gives: readonly HostValue[];
};

/** `exchange` is what the first stage gives to be averaged, and the name under which the second takes it. */
export type Stages = {
  readonly stages: readonly Stage[];
  readonly exchange?: { readonly from: HostValue; readonly to: HostValue };
};

/** Nodes that hang on node `root`. */
function dependents(program: Program, roots: Iterable<number>): Set<number> {
  const found = new Set(roots);
  program.nodes.forEach(({ operands }, index) => {
    if (operands.some((operand) => found.has(operand))) found.add(index);
  });
  return found;
}

type Named = { readonly node: number; readonly value: HostValue };

function stage(program: Program, candidates: readonly Named[], results: readonly Named[], precision: Precision): Stage {
  const roots = results.map(({ node }) => node);
  const known = new Set(candidates.map(({ node }) => node));
  const needed = neededNodes(program, known, roots);
  const read = new Set([...roots, ...[...needed].flatMap((node) => program.nodes[node]!.operands)]);
  const taken = candidates.filter(({ node }) => read.has(node));
  const parameters: Parameter[] = taken.map(({ node, value }) => ({ node, type: value.type }));
  return {
    module: toStableHlo(program, parameters, roots, precision),
    takes: taken.map(({ value }) => value),
    gives: results.map(({ value }) => value),
  };
}

/** @param together whether the program runs on several workers, so that its exchange is one */
export function cutProgram(program: Program, signature: Signature, precision: Precision, together: boolean): Stages {
  const nodes = namedNodes(program);
  const named = (value: HostValue, name = value.name): Named => ({
    node: nodes.get(name)!,
    value: { name, type: value.type, shape: value.shape },
  });
  const fed = [...signature.state, ...signature.inputs].map((value) => named(value));
  const outputs = signature.outputs.map((value) => named(value));
  const next = signature.state.flatMap((leaf) => (leaf.next === undefined ? [] : [named(leaf, leaf.next)]));

  const exchanges = program.nodes.flatMap(({ op }, index) => (op === "allMean" ? [index] : []));
  if (!together || exchanges.length === 0) return { stages: [stage(program, fed, [...outputs, ...next], precision)] };
  if (exchanges.length > 1)
    throw new Error(`program "${program.name}": has ${exchanges.length} exchanges, one is meant`);
  const exchange = exchanges[0]!;
  const inner = (node: number, name: string): Named => {
    const { shape, dtype } = program.nodes[node]!;
    return { node, value: { name, type: dtype, shape } };
  };
  const from = inner(program.nodes[exchange]!.operands[0]!, "exchange:own");
  const to = inner(exchange, "exchange:mean");

  // What comes after: everything that hangs on the exchange, and the whole next state, so that no half step is kept.
  const late = dependents(program, [exchange]);
  const isLate = ({ node }: Named) => late.has(node);
  const after = [...outputs.filter(isLate), ...next];
  const varies = dependents(
    program,
    fed.map(({ node }) => node),
  );
  const isFed = new Set(fed.map(({ node }) => node));
  const crossing = (node: number) => !late.has(node) && varies.has(node) && !isFed.has(node);
  const needed = neededNodes(
    program,
    new Set([exchange]),
    after.map(({ node }) => node),
  );
  const lateOperands = [...needed].filter((node) => late.has(node)).flatMap((node) => program.nodes[node]!.operands);
  const cut = [...new Set([...lateOperands, ...next.map(({ node }) => node)])]
    .filter(crossing)
    .map((node) => inner(node, `cut:${node}`));
  const before = [from, ...cut, ...outputs.filter((output) => !isLate(output))];
  return {
    stages: [stage(program, fed, before, precision), stage(program, [to, ...cut, ...fed], after, precision)],
    exchange: { from: from.value, to: to.value },
  };
}
