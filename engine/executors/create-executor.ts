import { availableParallelism } from "node:os";
import { ConfigError, UserError } from "#core/errors.ts";
import { createCpuExecutor } from "./cpu.ts";
import type { Executor } from "./executor.ts";
import { createOnnxExecutor } from "./onnx/onnx-executor.ts";

export type ExecutorOptions = {
  readonly kind: "auto" | "onnxruntime" | "cpu";
  /** Threads of one operation; by default one per core, at most 8. */
  readonly threads?: number;
};

/**
 * Starts an executor; one per process hosts any number of compiled functions.
 *
 * `auto` takes ONNX Runtime where it can be loaded and TensorFlow.js's CPU backend (some hundred times slower) otherwise;
 * `reason` says which and why.
 *
 * @throws ConfigError when ONNX Runtime was asked for and cannot be loaded
 */
export async function createExecutor({ kind, threads }: ExecutorOptions): Promise<Executor> {
  const count = threads ?? Math.min(8, availableParallelism());
  if (!Number.isInteger(count) || count < 1) {
    throw new ConfigError(`engine.threads: must be a whole number of at least 1, got ${count}.`);
  }
  if (kind === "cpu") return createCpuExecutor("cpu: asked for");
  const why = kind === "auto" ? "the fastest engine present" : "asked for";
  try {
    return await createOnnxExecutor(count, `onnxruntime: ${why}, ${count} ${count === 1 ? "thread" : "threads"}`);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    if (kind === "auto") return createCpuExecutor(`cpu, slow: onnxruntime cannot be loaded (${cause.message})`);
    throw new ConfigError(
      `engine: onnxruntime was asked for, but cannot be loaded. Run "npm install". ${cause.message}`,
    );
  }
}
