/** @file TensorFlow.js run eagerly by TensorFlow: @tensorflow/tfjs-node-gpu's backend over the library that was set up. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { setEnvironmentDefault } from "#core/config/environment.ts";
import { ConfigError } from "#core/errors.ts";
import { checkInstructions, checkLibrary } from "../executors/native/library-check.ts";
import { defaultCacheFolder } from "../setup/cache-folder.ts";
import { checkRecorded, recordedLibrary } from "../setup/library-record.ts";
import { tf } from "../tf.ts";
import { createEagerBinding } from "./eager-binding.ts";
import { tfjsNode, tfjsNodeAddon } from "./tfjs-node.ts";

const require = createRequire(import.meta.url);
export type EagerBackend = {
  /** Whether a compiled addon or koffi makes the calls. */
  readonly through: "addon" | "koffi";
  readonly version: string;
  readonly isUsingGpu: boolean;
};

/**
 * Registers TensorFlow as TensorFlow.js's backend "tensorflow" and selects it. It runs in this process.
 *
 * @throws ConfigError when TensorFlow is not set up
 */
export async function useEagerTensorflow(cacheFolder = defaultCacheFolder()): Promise<EagerBackend> {
  const library = recordedLibrary(cacheFolder, "tensorflow");
  if (library === undefined) {
    throw new ConfigError('tensorflow: is not set up. Run "npx armature engine setup tensorflow".');
  }
  await checkRecorded("tensorflow", library);
  checkInstructions("tensorflow");
  const [framework, core] = library.files.map(({ path }) => path) as [string, string];
  for (const path of [framework, core]) checkLibrary(path, 'Run "npx armature engine setup tensorflow".');

  setEnvironmentDefault("TF_CPP_MIN_LOG_LEVEL", "2");
  const through = existsSync(tfjsNodeAddon()) ? "addon" : "koffi";
  const binding = through === "addon" ? require(tfjsNodeAddon()) : createEagerBinding(framework, core);
  require(`${tfjsNode}/dist/register_all_kernels`);
  const { NodeJSKernelBackend } = require(`${tfjsNode}/dist/nodejs_kernel_backend`);
  if (tf.findBackend("tensorflow") === null) {
    tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(binding, tfjsNode), 3);
  }
  await tf.setBackend("tensorflow");
  return { through, version: binding.TF_Version, isUsingGpu: binding.isUsingGpuDevice() };
}
