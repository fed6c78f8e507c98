import { z } from "zod";
import { presetProblems } from "#benchmarks/engine/preset-problems.ts";
import { visionSizes, visionStep } from "#benchmarks/engine/vision-step.ts";
import { setEnvironmentDefault } from "#core/config/environment.ts";
import { type CompiledForGpu, createGpuCompiler } from "#engine/executors/xla/gpu-compiler.ts";
import { defineCommand } from "../command.ts";

export const engineCompileCheck = defineCommand({
  summary: "compiles the train steps for an NVIDIA H100 on a machine without a GPU; runs none of them",
  config: z.strictObject({
    plugin: z.string().describe("JAX's CUDA plugin: xla_cuda_plugin.so of jax-cuda13-pjrt or jax-cuda12-pjrt"),
    cuda: z.string().default("").describe("folder with bin/ptxas and nvvm/libdevice; by default beside the plugin"),
  }),
  example: "engine compile-check --plugin site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so",
  async run({ plugin, cuda }, { print, result }) {
    setEnvironmentDefault("TF_CPP_MIN_LOG_LEVEL", "2");
    const compiled: (CompiledForGpu & { title: string })[] = [];
    let title = "";
    const compiler = createGpuCompiler(plugin, cuda, (step) => {
      compiled.push({ title, ...step });
      print(`${title}: compiled in ${(step.ms / 1000).toFixed(1)} s, ${(step.bytes / 1e6).toFixed(1)} MB`);
    });
    for (const [name, size] of Object.entries(visionSizes)) {
      for (const precision of ["float32", "bfloat16"] as const) {
        title = `vision ${name}, ${precision}`;
        await visionStep(compiler, size, precision);
      }
    }
    for (const { name, problem } of presetProblems()) {
      title = name;
      await problem.create(compiler);
    }
    result(compiled);
  },
});
