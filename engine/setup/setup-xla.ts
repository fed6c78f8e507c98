/** @file Finds a PJRT plugin or brings one. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError } from "#core/errors.ts";
import { type Log, silentLog } from "#core/log.ts";
import { checkInstructions } from "../executors/native/library-check.ts";
import { createXlaExecutor } from "../executors/xla/xla-executor.ts";
import { describeFile, type Library, recordLibrary } from "./library-record.ts";
import { bringWheel, installInto, pythonFolders } from "./pip.ts";
import { xlaCpu, xlaCuda } from "./wheels.ts";

export type SetupOptions = {
  readonly cacheFolder: string;
  /** A library, the folder that holds it, or a wheel; by default one is looked for and then brought. */
  readonly from?: string | undefined;
  /** The library for NVIDIA GPUs, with CUDA. */
  readonly gpu?: boolean;
  readonly signal?: AbortSignal;
  readonly log?: Log;
  /** Folders in which a JAX installation is looked for; by default those of the Pythons on the PATH. */
  readonly pythonFolders?: readonly string[];
};

/** A driver of NVIDIA or AMD is running. */
const hasGpu = () => ["/dev/nvidiactl", "/dev/kfd"].some(existsSync);

const mend = "Give another one with --from.";

const isPlugin = (name: string) => /pjrt.*\.so$|^xla_(cuda|rocm)_plugin\.so$|^libtpu\.so$/.test(name);

/** Plugins of a folder, also two folders down, as in site-packages/jax_plugins. */
function pluginsIn(folder: string, depth = 2): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return depth > 0 ? pluginsIn(path, depth - 1) : [];
    return isPlugin(entry.name) ? [path] : [];
  });
}

/** The GPU plugin of a JAX installation, where a Python on the PATH has one. */
function findJaxPlugin(folders: readonly string[]): string | undefined {
  const plugins = folders.map((folder) => join(folder, "jax_plugins")).filter(existsSync);
  return plugins.flatMap((folder) => pluginsIn(folder)).find((path) => /cuda|rocm/.test(path));
}

function named(from: string): string {
  if (!existsSync(from)) throw new ConfigError(`engine setup xla: --from ${from} does not exist.`);
  if (!statSync(from).isDirectory()) return resolve(from);
  const found = pluginsIn(resolve(from));
  if (found.length === 0) {
    throw new ConfigError(`engine setup xla: no PJRT plugin is in ${from}. Name the file itself with --from.`);
  }
  return found[0]!;
}

function wheelFor(gpu: boolean) {
  const { arch, platform } = process;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64") || (gpu && arch !== "x64")) {
    throw new ConfigError(`engine setup xla: no wheel is known for ${platform} ${arch}. ${mend}`);
  }
  return gpu ? xlaCuda : xlaCpu[arch];
}

/** CUDA as JAX's plugin wants it. Versions are NVIDIA's own; only the plugin is pinned by hash. */
const cudaPackages = [
  "nvidia-cublas",
  "nvidia-cuda-cupti",
  "nvidia-cuda-nvcc",
  "nvidia-cuda-runtime",
  "nvidia-cudnn-cu13",
  "nvidia-cufft",
  "nvidia-cusolver",
  "nvidia-cusparse",
  "nvidia-nccl-cu13",
  "nvidia-nvjitlink",
  "nvidia-nvvm",
  "nvidia-nvshmem-cu13",
].map((name) => (/cudnn|nccl|nvshmem/.test(name) ? name : `${name}<14`));

/**
 * Looks for a plugin (the one named, a JAX installation's), or brings one through pip, and records it.
 *
 * @throws UserError when none can be had; nothing recorded before is lost
 */
export async function setupXla(options: SetupOptions): Promise<Library> {
  const { cacheFolder, from, gpu = false, signal, log = silentLog } = options;
  checkInstructions("xla");
  const { path, source } = await choose();
  // Only what works here is recorded.
  const executor = await createXlaExecutor({ plugin: path, threads: 1, cacheFolder, reason: () => "set-up" });
  await executor.dispose();
  const library = { files: [await describeFile(path)], source };
  recordLibrary(cacheFolder, "xla", library);
  return library;

  async function choose(): Promise<{ path: string; source: string }> {
    if (from !== undefined && !from.endsWith(".whl")) return { path: named(from), source: `given: ${from}` };
    const folders = options.pythonFolders ?? (hasGpu() ? pythonFolders() : []);
    const jax = from === undefined ? findJaxPlugin(folders) : undefined;
    if (jax !== undefined) return { path: jax, source: "a JAX installation" };
    const wheel = wheelFor(gpu);
    // The plugin finds CUDA by its place in site-packages.
    const root = join(cacheFolder, "engines", gpu ? "xla-cuda" : "xla-cpu");
    const folder = gpu ? join(root, "jax_plugins", "xla_cuda13") : root;
    log.info(`xla: bringing ${wheel.name} ${wheel.version} through pip`);
    const [path] = await bringWheel(wheel, folder, { signal, ...(from === undefined ? {} : { file: from }) });
    if (gpu) {
      log.info("xla: bringing CUDA's libraries through pip (2.3 GB)");
      await installInto(root, cudaPackages, signal);
    }
    return { path: path!, source: `pip: ${wheel.name} ${wheel.version}` };
  }
}
