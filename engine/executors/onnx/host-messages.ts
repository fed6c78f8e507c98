/** @file What the trainer process and its ONNX Runtime process say to each other. Typed arrays travel as they are. */
import type { OnnxValue } from "./onnx-file.ts";

export type HostData = Float32Array | Int32Array | Uint8Array;

export type CreateRequest = {
  readonly method: "create";
  readonly handle: number;
  readonly model: Uint8Array;
  readonly threads: number;
  /** Model inputs that are fed per call. */
  readonly inputs: readonly OnnxValue[];
  /** Model outputs that go back per call. */
  readonly outputs: readonly OnnxValue[];
  /** Resident arrays; `next` is the model's output that replaces one after a run, where it changes. */
  readonly state: readonly (OnnxValue & { readonly data: HostData; readonly next: string | undefined })[];
};

export type Request =
  | CreateRequest
  | { readonly method: "run"; readonly handle: number; readonly inputs: readonly HostData[] }
  | { readonly method: "state"; readonly handle: number }
  | { readonly method: "load"; readonly handle: number; readonly state: readonly HostData[] }
  | { readonly method: "dispose"; readonly handle: number };

/** `computeMs` is what the request took. Results of "run" are the outputs, of "state" the state, in the order of the create request; reply 0 says that the process is ready. */
export type Reply = { readonly id: number } & (
  | { readonly result: readonly HostData[]; readonly computeMs: number }
  | { readonly error: string }
);
