/** @file What the trainer process and an engine's process say to each other. Typed arrays travel as they are. */
import type { DType } from "../../program/program.ts";

export type HostData = Float32Array | Int32Array | Uint8Array;

/** An argument or result of a program: `type` is how its numbers lie in memory. */
export type HostValue = { readonly name: string; readonly type: DType | "uint8"; readonly shape: readonly number[] };

/** A resident array; `next` is the program's output that replaces it after a run, where it changes. */
export type StateValue = HostValue & { readonly data: HostData; readonly next: string | undefined };

export type Signature = {
  /** Fed per call. */
  readonly inputs: readonly HostValue[];
  /** Go back per call. */
  readonly outputs: readonly HostValue[];
  readonly state: readonly StateValue[];
};

/** `model` is whatever the engine compiles. */
export type CreateRequest<Model> = Signature & {
  readonly method: "create";
  readonly handle: number;
  readonly model: Model;
};

export type Request<Model = unknown> =
  | CreateRequest<Model>
  | { readonly method: "run"; readonly handle: number; readonly inputs: readonly HostData[] }
  | { readonly method: "state"; readonly handle: number }
  | { readonly method: "load"; readonly handle: number; readonly state: readonly HostData[] }
  | { readonly method: "dispose"; readonly handle: number };

/** What an engine says about itself when it is ready, for the log. */
export type Facts = Readonly<Record<string, string>>;

/**
 * `computeMs` is what the request took. Results of "run" are the outputs, of "state" the state, in the order of the create
 * request. Reply 0 says that the process is ready, or why it cannot be.
 */
export type Reply = { readonly id: number } & (
  | { readonly result: readonly HostData[]; readonly computeMs: number; readonly facts?: Facts }
  | { readonly error: string }
);
