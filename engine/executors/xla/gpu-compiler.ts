/**
 * @file Compiles steps for a GPU that is not there: all that can be checked of the CUDA side without one. Says that programs
 * compile, not that they run.
 */
import { ConfigError, UserError } from "#core/errors.ts";
import type { Executor, ExecutorProgram } from "../executor.ts";
import { signatureOf } from "../host/hosted-executor.ts";
import { checkLibrary } from "../native/library-check.ts";
import { wholeModule } from "../stablehlo/hlo-module.ts";
import { cudaFlags } from "./cuda-flags.ts";
import { PjrtApi, readMemory, Slots } from "./pjrt-api.ts";
import { compileOptions, namedValues, programStruct } from "./pjrt-client.ts";

/** stream_executor.GpuTargetConfigProto as XLA prints it on an H100. */
const h100 = `
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152 shared_memory_per_core: 233472
  threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128 block_dim_limit_x: 2147483647 block_dim_limit_y: 65535
  block_dim_limit_z: 65535 memory_bandwidth: 3352320000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
  device_memory_size: 84942979072 shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 feature_extension: ACCELERATED_FEATURES }
  registers_per_core_limit: 65536 registers_per_block_limit: 65536 thread_dim_limit_x: 1024 thread_dim_limit_y: 1024
  thread_dim_limit_z: 64 device_vendor: "NVIDIA Corporation" platform_version: "Compute Capability 9.0a"
  name: "NVIDIA H100 80GB HBM3" device_address_bits: 64 pcie_bandwidth: 34359738368 driver_version: "13.0.0"
  runtime_version: "13.0.0" compile_time_toolkit_version: "13.0.0" dnn_version: "9.12.0"
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 12 patch: 0 } device_description_str: "NVIDIA H100 80GB HBM3"`;

export type CompiledForGpu = { readonly name: string; readonly ms: number; readonly bytes: number };

/** XLA does not survive being unloaded. */
const loaded: PjrtApi[] = [];

function describeGpu(plugin: string): { api: PjrtApi; topology: bigint } {
  const struct = new Slots(7);
  const options = { target_config: h100, topology: "1x1x1" };
  struct.set(4, namedValues(options, struct.kept)).set(5, Object.keys(options).length);
  try {
    const api = new PjrtApi(plugin);
    loaded.push(api);
    return { api, topology: api.call("TopologyDescription_Create", struct).get(6) };
  } catch (cause) {
    const [line] = (cause as Error).message.split("\n");
    throw new UserError(`engine compile-check: ${plugin} does not compile for GPUs: ${line}`, { cause });
  }
}

/**
 * An executor that compiles every function for an H100 and runs none.
 *
 * @param plugin JAX's CUDA plugin, xla_cuda_plugin.so
 * @param cuda folder with bin/ptxas and nvvm/libdevice; empty: beside the plugin
 * @throws UserError when the plugin cannot be loaded, or when a step does not compile
 */
export function createGpuCompiler(
  plugin: string,
  cuda: string,
  onCompiled: (compiled: CompiledForGpu) => void,
): Executor {
  checkLibrary(plugin, "Take xla_cuda_plugin.so of the package jax-cuda13-pjrt or jax-cuda12-pjrt.");
  const { api, topology } = describeGpu(plugin);
  const flags = compileOptions(cuda === "" ? cudaFlags(plugin) : { xla_gpu_cuda_data_dir: cuda });

  async function compile(name: string, text: string): Promise<void> {
    const start = performance.now();
    const program = programStruct(Buffer.from(text));
    const struct = new Slots(8).set(2, topology).set(3, program.address).setBytes(4, flags);
    struct.kept.push(program);
    try {
      await api.callAsync("Compile", struct);
    } catch (cause) {
      throw new UserError(`${name}: does not compile for the GPU: ${(cause as Error).message.split("\n")[0]}`, {
        cause,
      });
    }
    const serialized = api.call("Executable_Serialize", new Slots(7).set(2, struct.get(7)));
    const { length } = readMemory(serialized.get(3), serialized.get(4));
    onCompiled({ name, ms: performance.now() - start, bytes: length });
  }

  const refuse = async (): Promise<never> => {
    throw new ConfigError("engine compile-check: there is no GPU here; programs are only compiled.");
  };
  return {
    kind: "xla",
    reason: "compiles for an H100, runs nothing",
    precisions: ["float32", "bfloat16"],
    async prepare(task): Promise<ExecutorProgram> {
      await compile(task.name, wholeModule(task.program, signatureOf(task), task.precision));
      return { computeMs: 0, run: refuse, state: refuse, load: refuse, dispose: async () => {} };
    },
    dispose: async () => {},
  };
}
