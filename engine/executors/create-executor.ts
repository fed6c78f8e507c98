import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { ConfigError } from "#core/errors.ts";
import { createCpuExecutor } from "./cpu.ts";
import type { Executor } from "./executor.ts";
import { createOnnxExecutor } from "./onnx/onnx-executor.ts";

export type ExecutorOptions = {
  readonly kind: "auto" | "onnxruntime" | "cpu";
  /** Threads of one operation; by default one per core, at most 8. */
  readonly threads?: number;
};

/** Says why ONNX Runtime cannot be used here, or `undefined` when it can. */
function whyNoOnnxRuntime(): string | undefined {
  try {
    createRequire(import.meta.url).resolve("onnxruntime-node");
    return undefined;
  } catch {
    return "onnxruntime-node is not installed";
  }
}

/**
 * Starts an executor; one per process hosts any number of compiled functions.
 *
 * `auto` takes ONNX Runtime where its package is present and TensorFlow.js's CPU backend (some hundred times slower)
 * otherwise; `reason` says which and why.
 */
export async function createExecutor({ kind, threads }: ExecutorOptions): Promise<Executor> {
  const count = threads ?? Math.min(8, availableParallelism());
  if (!Number.isInteger(count) || count < 1) {
    throw new ConfigError(`engine.threads: must be a whole number of at least 1, got ${count}.`);
  }
  const missing = kind === "cpu" ? undefined : whyNoOnnxRuntime();
  if (kind === "onnxruntime" && missing !== undefined) {
    throw new ConfigError(`engine: onnxruntime was asked for, but ${missing}. Run "npm install".`);
  }
  if (kind === "cpu") return createCpuExecutor("cpu: asked for");
  if (missing !== undefined) return createCpuExecutor(`cpu: ${missing}`);
  const why = kind === "auto" ? "the fastest engine present" : "asked for";
  return createOnnxExecutor(count, `onnxruntime: ${why}, ${count} ${count === 1 ? "thread" : "threads"}`);
}
