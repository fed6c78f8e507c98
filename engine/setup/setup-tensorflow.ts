/** @file Brings libtensorflow, or takes the one that is named. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError } from "#core/errors.ts";
import { silentLog } from "#core/log.ts";
import { checkInstructions } from "../executors/native/library-check.ts";
import { createTensorflowExecutor } from "../executors/tensorflow/tensorflow-executor.ts";
import { describeFile, type Library, recordLibrary } from "./library-record.ts";
import { bringWheel, installInto } from "./pip.ts";
import type { SetupOptions } from "./setup-xla.ts";
import { tensorflowCpu, tensorflowCuda } from "./wheels.ts";

const mend = "Give another folder with --from.";
const names = ["libtensorflow_framework.so.2", "libtensorflow_cc.so.2"] as const;

/** The two libraries in a folder, or in the `tensorflow` folder of a Python installation. */
function named(from: string): string[] {
  for (const folder of [from, join(from, "tensorflow"), join(from, "lib")]) {
    const paths = names.map((name) => resolve(folder, name));
    if (paths.every(existsSync)) return paths;
  }
  throw new ConfigError(`engine setup tensorflow: ${from} must hold ${names.join(" and ")}, but does not. ${mend}`);
}

function wheelFor(gpu: boolean) {
  const { arch, platform } = process;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64") || (gpu && arch !== "x64")) {
    throw new ConfigError(`engine setup tensorflow: no wheel is known for ${platform} ${arch}. ${mend}`);
  }
  return gpu ? tensorflowCuda : tensorflowCpu[arch];
}

/** Two thirds of what TensorFlow's wheel holds are symbols that nothing needs. */
function strip(paths: readonly string[], warn: (line: string) => void): void {
  const { status, error } = spawnSync("strip", ["--strip-unneeded", ...paths]);
  if (error !== undefined || status !== 0)
    warn("tensorflow: not stripped, strip (binutils) is not there; it works as it is");
}

/** CUDA as this TensorFlow's `and-cuda` lists it. */
const cudaPackages = [
  "nvidia-cublas-cu12",
  "nvidia-cuda-cupti-cu12",
  "nvidia-cuda-nvcc-cu12",
  "nvidia-cuda-nvrtc-cu12",
  "nvidia-cuda-runtime-cu12",
  "nvidia-cudnn-cu12",
  "nvidia-cufft-cu12",
  "nvidia-curand-cu12",
  "nvidia-cusolver-cu12",
  "nvidia-cusparse-cu12",
  "nvidia-nccl-cu12",
  "nvidia-nvjitlink-cu12",
];

/**
 * Records libtensorflow: the one named, or one that pip brings.
 *
 * @throws UserError when it cannot be had; nothing recorded before is lost
 */
export async function setupTensorflow(options: SetupOptions): Promise<Library> {
  const { cacheFolder, from, gpu = false, signal, log = silentLog } = options;
  checkInstructions("tensorflow");
  const { paths, source } = await choose();
  // Only what works here is recorded.
  const [framework, core] = paths as [string, string];
  const executor = await createTensorflowExecutor({ framework, core, threads: 1, cacheFolder, reason: () => "set-up" });
  await executor.dispose();
  const library = { files: await Promise.all(paths.map(describeFile)), source };
  recordLibrary(cacheFolder, "tensorflow", library);
  return library;

  async function choose(): Promise<{ paths: string[]; source: string }> {
    if (from !== undefined && !from.endsWith(".whl")) return { paths: named(from), source: `given: ${from}` };
    const wheel = wheelFor(gpu);
    // The libraries find CUDA in the folder "nvidia" beside their own.
    const root = join(cacheFolder, "engines", gpu ? "tensorflow-cuda" : "tensorflow-cpu");
    log.info(`tensorflow: bringing ${wheel.name} ${wheel.version} through pip`);
    const file = from === undefined ? {} : { file: from };
    const paths = await bringWheel(wheel, join(root, "tensorflow"), { signal, ...file });
    if (gpu) {
      log.info("tensorflow: bringing CUDA's libraries through pip (2.7 GB)");
      await installInto(root, cudaPackages, signal);
    } else strip(paths, log.warn);
    return { paths, source: `pip: ${wheel.name} ${wheel.version}` };
  }
}
