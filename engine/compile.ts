/**
 * @file Turns a function of tensors into a program that an executor keeps ready, with its state resident.
 */
import { ConfigError, ShapeError } from "#core/errors.ts";
import type { Executor, ExecutorProgram, Precision } from "./executors/executor.ts";
import { checkArray, checkFit } from "./fit.ts";
import { type HostInput, type InputSpec, readInput } from "./inputs.ts";
import type { Program } from "./program/program.ts";
import type { tf } from "./tf.ts";
import { type TracedFunction, traceProgram } from "./trace/trace.ts";
import { flattenTree, type HostArray, mapTree, type Tree } from "./tree.ts";

export type CompileOptions = {
  /** Shown in every message about this function. */
  readonly name: string;
  readonly state: Tree<HostArray>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly executor: Executor;
  /** By default float32. */
  readonly precision?: Precision;
};

export type Compiled = {
  readonly name: string;
  readonly program: Program;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Milliseconds that its runs have computed so far. */
  readonly computeMs: number;
  /** Runs once: the state advances, the outputs come back. @throws ShapeError naming the input that does not fit */
  run(inputs: Readonly<Record<string, HostInput>>): Promise<Record<string, HostArray>>;
  /** A copy of the state as it is now. */
  state(): Promise<Tree<HostArray>>;
  /** Replaces the state. @throws ShapeError naming the leaf that does not fit */
  load(state: Tree<HostArray>): Promise<void>;
  dispose(): Promise<void>;
};

/**
 * Traces `fn` and prepares it for running.
 *
 * The function sees tensors without numbers: shapes are fixed, JavaScript must not depend on values, on randomness or on
 * time. It is traced twice and refused when the two programs differ.
 *
 * @throws ConfigError when the executor cannot compute in the wanted precision
 * @throws UserError when the function cannot be traced, ShapeError when the state it returns does not fit the one it took
 */
export async function compile<S extends Tree<tf.Tensor>>(
  fn: TracedFunction<S>,
  options: CompileOptions,
): Promise<Compiled> {
  const { name, executor, precision = "float32" } = options;
  if (!executor.precisions.includes(precision)) {
    const able = executor.precisions.join(" or ");
    throw new ConfigError(
      `compile "${name}": ${executor.kind} computes in ${able}, got ${precision}. Take another engine.`,
    );
  }
  const template = options.state;
  const leaves = flattenTree(template);
  for (const [path, leaf] of leaves) checkArray(`compile "${name}": state "${path}"`, leaf);
  const evaluate = fn as unknown as TracedFunction;
  const program = traceProgram(evaluate, { name, state: template, inputs: options.inputs });
  const inputs = { ...options.inputs };
  const prepared: ExecutorProgram = await executor.prepare({
    name,
    program,
    evaluate,
    state: template,
    inputs,
    precision,
  });

  return {
    name,
    program,
    inputs,
    get computeMs() {
      return prepared.computeMs;
    },
    async run(values) {
      for (const given of Object.keys(values)) {
        if (!Object.hasOwn(inputs, given)) {
          const known = Object.keys(inputs).join(", ") || "none";
          throw new ShapeError(`compiled "${name}": no input is named "${given}". Its inputs: ${known}.`);
        }
      }
      const read = Object.entries(inputs).map(
        ([key, spec]) => [key, readInput(`compiled "${name}": input "${key}"`, spec, values[key])] as const,
      );
      return prepared.run(Object.fromEntries(read));
    },
    async state() {
      const arrays = new Map(await prepared.state());
      return mapTree(template, (_, path) => arrays.get(path)!);
    },
    async load(state) {
      checkFit(`compiled "${name}": the given state`, template, state);
      const given = new Map(flattenTree(state));
      for (const [path, array] of given) checkArray(`compiled "${name}": state "${path}"`, array);
      await prepared.load(leaves.map(([path]) => [path, given.get(path)!]));
    },
    dispose: () => prepared.dispose(),
  };
}
