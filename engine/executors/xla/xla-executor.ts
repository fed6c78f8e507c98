/** @file Any PJRT plugin (CPU, CUDA, TPU) in a child process. */
import type { Executor } from "../executor.ts";
import { startHost } from "../host/host-process.ts";
import { prepareHosted, signatureOf } from "../host/hosted-executor.ts";
import { checkInstructions, checkLibrary } from "../native/library-check.ts";
import { programFolder } from "../native/program-folder.ts";
import { wholeModule } from "../stablehlo/hlo-module.ts";
import { cudaFlags } from "./cuda-flags.ts";

export type XlaOptions = {
  /** File of the plugin. */
  readonly plugin: string;
  readonly threads: number;
  readonly cacheFolder: string;
  readonly reason: (facts: Readonly<Record<string, string>>) => string;
};

const mend = 'Run "npx armature engine setup xla".';

/** @throws UserError when the plugin is missing, cut, of another version, or has no device here */
export async function createXlaExecutor({ plugin, threads, cacheFolder, reason }: XlaOptions): Promise<Executor> {
  checkInstructions("xla");
  checkLibrary(plugin, mend);
  const host = await startHost({
    label: "xla",
    program: new URL("./xla-host.ts", import.meta.url),
    settings: { plugin, programFolder: programFolder(cacheFolder, plugin), flags: cudaFlags(plugin) },
    environment: {
      // XLA takes its temporary memory anew at every run: with huge pages that costs a fraction.
      GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
      PJRT_NPROC: String(threads),
      NPROC: String(threads),
      TF_CPP_MIN_LOG_LEVEL: "2",
    },
  });
  let handles = 0;
  return {
    kind: "xla",
    reason: reason(host.facts),
    precisions: ["float32", "bfloat16"],
    pid: host.pid,
    prepare: (task) => {
      const signature = signatureOf(task);
      const text = wholeModule(task.program, signature, task.precision);
      return prepareHosted(host, ++handles, task, signature, { text });
    },
    dispose: () => host.close(),
  };
}
