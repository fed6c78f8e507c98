import type { InputSpec } from "../inputs.ts";
import type { Program } from "../program/program.ts";
import type { TracedFunction } from "../trace/trace.ts";
import type { HostArray, Tree } from "../tree.ts";

export type EngineKind = "onnxruntime" | "tensorflow" | "xla" | "cpu";

/** Of products and convolutions; sums, weights and everything else stay float32. */
export type Precision = "float32" | "bfloat16";

/** What an executor gets for one compiled function: the program, and the function itself for running it eagerly. */
export type PrepareTask = {
  readonly name: string;
  readonly program: Program;
  readonly evaluate: TracedFunction;
  readonly state: Tree<HostArray>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly precision: Precision;
};

type InputData = Float32Array | Int32Array | Uint8Array;
export type StateEntries = readonly (readonly [path: string, array: HostArray])[];

/** One function, ready to run; its state stays with the executor. Calls run in the order they were made. */
export type ExecutorProgram = {
  /** Milliseconds that its runs have computed so far; what passes besides is waiting, for data or for the caller. */
  readonly computeMs: number;
  /** `inputs` were checked against their specification. */
  run(inputs: Readonly<Record<string, InputData>>): Promise<Record<string, HostArray>>;
  state(): Promise<StateEntries>;
  load(state: StateEntries): Promise<void>;
  dispose(): Promise<void>;
};

export interface Executor {
  readonly kind: EngineKind;
  /** One sentence for the log: which executor and why. */
  readonly reason: string;
  /** What it can compute products in. */
  readonly precisions: readonly Precision[];
  /** Where several processes run every train step together: which of how many this is. */
  readonly cluster?: { readonly index: number; readonly count: number } | undefined;
  /** Of the process that computes, where it is another. */
  readonly pid?: number | undefined;
  prepare(task: PrepareTask): Promise<ExecutorProgram>;
  dispose(): Promise<void>;
}
