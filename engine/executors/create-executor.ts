import { availableParallelism } from "node:os";
import { ConfigError, UserError } from "#core/errors.ts";
import { defaultCacheFolder } from "../setup/cache-folder.ts";
import { checkRecorded, type NativeEngine, recordedLibrary } from "../setup/library-record.ts";
import { createCpuExecutor } from "./cpu.ts";
import type { EngineKind, Executor } from "./executor.ts";
import { createOnnxExecutor } from "./onnx/onnx-executor.ts";
import { type ClusterOptions, createTensorflowExecutor } from "./tensorflow/tensorflow-executor.ts";
import { createXlaExecutor } from "./xla/xla-executor.ts";

export const engineKinds = ["auto", "onnxruntime", "tensorflow", "xla", "cpu"] as const;

export type ExecutorOptions = {
  readonly kind: "auto" | EngineKind;
  /** Threads of one operation; by default one per core, at most 8. */
  readonly threads?: number;
  /** Where engines were set up and compiled programs are kept. */
  readonly cacheFolder?: string;
  /** Train together with other processes (`tensorflow` alone). */
  readonly cluster?: ClusterOptions | undefined;
};

type Start = {
  readonly why: string;
  readonly threads: number;
  readonly cacheFolder: string;
  readonly cluster?: ClusterOptions | undefined;
};

async function installed(engine: NativeEngine, cacheFolder: string): Promise<readonly string[]> {
  const library = recordedLibrary(cacheFolder, engine);
  if (library === undefined) {
    throw new ConfigError(`${engine}: is not set up. Run "npx armature engine setup ${engine}".`);
  }
  await checkRecorded(engine, library);
  return library.files.map(({ path }) => path);
}

const count = (threads: number) => `${threads} ${threads === 1 ? "thread" : "threads"}`;

/** How each engine is started; each throws a UserError where it cannot be. */
const starters: Readonly<Record<EngineKind, (start: Start) => Promise<Executor>>> = {
  onnxruntime: ({ why, threads }) => createOnnxExecutor(threads, `onnxruntime: ${why}, ${count(threads)}`),
  async tensorflow({ why, threads, cacheFolder, cluster }) {
    const [framework, core] = await installed("tensorflow", cacheFolder);
    return createTensorflowExecutor({
      framework: framework!,
      core: core!,
      threads,
      cacheFolder,
      cluster,
      reason: ({ version, device }) => {
        const place = cluster === undefined ? "" : `, worker ${cluster.index} of ${cluster.workers.length}`;
        return `tensorflow ${version}: ${why}, ${device === "CPU" ? `CPU, ${count(threads)}` : device}${place}`;
      },
    });
  },
  async xla({ why, threads, cacheFolder }) {
    const [plugin] = await installed("xla", cacheFolder);
    return createXlaExecutor({
      plugin: plugin!,
      threads,
      cacheFolder,
      reason: ({ platform, device }) =>
        `xla: ${why}, ${platform === "cpu" ? `CPU, ${count(threads)}` : `${platform} (${device})`}`,
    });
  },
  cpu: async ({ why }) => createCpuExecutor(`cpu: ${why}`),
};

/** Fastest first, as measured (benchmarks/results/engine.json). */
const fastestFirst: readonly EngineKind[] = ["tensorflow", "xla", "onnxruntime", "cpu"];

/**
 * Starts an executor; one per process hosts any number of compiled functions.
 *
 * `auto` takes the fastest that can be started here; `reason` says which and why.
 *
 * @throws ConfigError when the engine that was asked for is not set up, UserError when it cannot be started
 */
export async function createExecutor({ kind, ...options }: ExecutorOptions): Promise<Executor> {
  const threads = options.threads ?? Math.min(8, availableParallelism());
  if (!Number.isInteger(threads) || threads < 1) {
    throw new ConfigError(`engine.threads: must be a whole number of at least 1, got ${threads}.`);
  }
  const { cluster } = options;
  const start = { threads, cacheFolder: options.cacheFolder ?? defaultCacheFolder(), cluster };
  if (cluster !== undefined) {
    if (kind === "auto") return starters.tensorflow({ ...start, why: "the engine for several workers" });
    if (kind !== "tensorflow") throw new ConfigError(`engine: several workers need tensorflow, got ${kind}.`);
  }
  if (kind !== "auto") return starters[kind]({ ...start, why: "asked for" });
  const missing: string[] = [];
  for (const next of fastestFirst) {
    const why = next === "cpu" ? `slow; ${missing.join(" ")}` : "the fastest engine present";
    try {
      return await starters[next]({ ...start, why });
    } catch (cause) {
      if (!(cause instanceof UserError)) throw cause;
      missing.push(cause.message);
    }
  }
  throw new Error("unreachable: the cpu engine always starts");
}
