/** @file TensorFlow in a child process: XLA-compiled functions over resident variables, on one machine or on several. */
import type { Executor } from "../executor.ts";
import { startHost } from "../host/host-process.ts";
import { prepareHosted, signatureOf } from "../host/hosted-executor.ts";
import type { Facts } from "../host/messages.ts";
import { checkInstructions, checkLibrary } from "../native/library-check.ts";
import { programFolder, prunePrograms, removeCutMessages } from "../native/program-folder.ts";
import { cutProgram } from "./stages.ts";
import { buildStepGraph } from "./step-graph.ts";

export type TensorflowOptions = {
  /** libtensorflow_framework.so.2 and libtensorflow_cc.so.2 */
  readonly framework: string;
  readonly core: string;
  readonly threads: number;
  readonly cacheFolder: string;
  readonly reason: (facts: Facts) => string;
};

const mend = 'Run "npx armature engine setup tensorflow".';

/** @throws UserError when the libraries are missing, cut or of another kind */
export async function createTensorflowExecutor(options: TensorflowOptions): Promise<Executor> {
  const { framework, core, threads, cacheFolder, reason } = options;
  checkInstructions("tensorflow");
  for (const path of [framework, core]) checkLibrary(path, mend);
  const programs = programFolder(cacheFolder, core);
  removeCutMessages(programs);
  prunePrograms(programs);
  const host = await startHost({
    label: "tensorflow",
    program: new URL("./tensorflow-host.ts", import.meta.url),
    settings: { framework, core, threads },
    environment: {
      // XLA takes its temporary memory anew at every run: with huge pages that costs a fraction.
      GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
      TF_CPP_MIN_LOG_LEVEL: "2",
      TF_XLA_FLAGS: `--tf_xla_persistent_cache_directory=${programs}`,
    },
  });
  const platform = host.facts.device === "GPU" ? "CUDA" : "CPU";
  let handles = 0;
  return {
    kind: "tensorflow",
    reason: reason(host.facts),
    precisions: ["float32", "bfloat16"],
    pid: host.pid,
    prepare: (task) => {
      const signature = signatureOf(task);
      const stages = cutProgram(task.program, signature, task.precision, false);
      const handle = ++handles;
      const device = `/job:localhost/replica:0/task:0/device:${host.facts.device}:0`;
      return prepareHosted(
        host,
        handle,
        task,
        signature,
        buildStepGraph(signature, stages, { handle, device, platform }),
      );
    },
    dispose: () => host.close(),
  };
}
