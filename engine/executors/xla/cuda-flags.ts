import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CompilerFlags } from "./pjrt-client.ts";

/** CUDA's compiler beside the plugin in site-packages, where a JAX installation puts it. */
export function cudaFlags(plugin: string): CompilerFlags {
  const packages = join(dirname(plugin), "..", "..");
  const found = ["cuda_nvcc", "cu13", "cu12"].map((name) => join(packages, "nvidia", name)).find(existsSync);
  return found === undefined ? {} : { xla_gpu_cuda_data_dir: found };
}
