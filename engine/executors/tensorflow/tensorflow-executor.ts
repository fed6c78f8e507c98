/** @file TensorFlow in a child process: XLA-compiled functions over resident variables, on one machine or on several. */
import { type Cluster, checkExposure } from "../../cluster/cluster.ts";
import { awaitPeers, watchPeers } from "../../cluster/peers.ts";
import type { Executor, ExecutorProgram, PrepareTask } from "../executor.ts";
import { type HostProcess, startHost } from "../host/host-process.ts";
import { prepareHosted, signatureOf } from "../host/hosted-executor.ts";
import type { Facts } from "../host/messages.ts";
import { checkInstructions, checkLibrary } from "../native/library-check.ts";
import { programFolder, prunePrograms, removeCutMessages } from "../native/program-folder.ts";
import { cutProgram } from "./stages.ts";
import { buildStepGraph } from "./step-graph.ts";

export type ClusterOptions = Cluster & {
  /** Allow the server on a machine with a public address. */
  readonly exposed?: boolean;
  /** How long to wait for the other workers at the start; by default 10 minutes. */
  readonly startLimitMs?: number;
};

export type TensorflowOptions = {
  /** libtensorflow_framework.so.2 and libtensorflow_cc.so.2 */
  readonly framework: string;
  readonly core: string;
  readonly threads: number;
  readonly cacheFolder: string;
  readonly cluster?: ClusterOptions | undefined;
  readonly reason: (facts: Facts) => string;
};

const mend = 'Run "npx armature engine setup tensorflow".';
const startLimitMs = 600_000;

function start({ framework, core, threads, cacheFolder, cluster }: TensorflowOptions): Promise<HostProcess> {
  checkInstructions("tensorflow");
  for (const path of [framework, core]) checkLibrary(path, mend);
  const programs = programFolder(cacheFolder, core);
  removeCutMessages(programs);
  prunePrograms(programs);
  return startHost({
    label: "tensorflow",
    program: new URL("./tensorflow-host.ts", import.meta.url),
    settings: { framework, core, threads, ...(cluster === undefined ? {} : { cluster }) },
    environment: {
      // XLA takes its temporary memory anew at every run: with huge pages that costs a fraction.
      GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
      TF_CPP_MIN_LOG_LEVEL: "2",
      TF_XLA_FLAGS: `--tf_xla_persistent_cache_directory=${programs}`,
    },
  });
}

/**
 * @throws UserError when the libraries are missing, cut or of another kind, when this machine must not be a worker, or when
 *   the other workers do not come
 */
export async function createTensorflowExecutor(options: TensorflowOptions): Promise<Executor> {
  const { cluster } = options;
  if (cluster !== undefined) checkExposure(cluster.exposed === true);
  const host = await start(options);
  const { device } = host.facts;
  const isGpu = device === "GPU";
  const platform = isGpu ? "CUDA" : "CPU";
  const place = cluster && {
    index: cluster.index,
    count: cluster.workers.length,
    hint: isGpu ? "nccl" : "auto",
  };
  let handles = 0;
  /** Every worker compiles the same programs that run together, in the same order. */
  let shared = 0;

  const alone = (task: PrepareTask): Promise<ExecutorProgram> => {
    const handle = ++handles;
    const signature = signatureOf(task);
    const stages = cutProgram(task.program, signature, task.precision, false);
    const graph = buildStepGraph(signature, stages, {
      handle,
      device: `/job:localhost/replica:0/task:0/device:${device}:0`,
      platform,
    });
    return prepareHosted(host, handle, task, signature, graph);
  };

  const together = async (task: PrepareTask, workers: ClusterOptions): Promise<ExecutorProgram> => {
    const watch = watchPeers(workers, () => host.kill());
    const handle = ++handles;
    const signature = signatureOf(task);
    const stages = cutProgram(task.program, signature, task.precision, true);
    const graph = buildStepGraph(signature, stages, {
      handle: ++shared,
      device: `/job:worker/replica:0/task:${workers.index}/device:${device}:0`,
      platform,
      cluster: place,
    });
    await awaitPeers(workers, workers.startLimitMs ?? startLimitMs);
    const program = await watch.guard(prepareHosted(host, handle, task, signature, graph));
    return {
      get computeMs() {
        return program.computeMs;
      },
      run: (inputs) => watch.guard(program.run(inputs)),
      state: () => program.state(),
      load: (entries) => watch.guard(program.load(entries)),
      dispose: () => program.dispose(),
    };
  };

  const needsOthers = ({ program }: PrepareTask) => program.nodes.some(({ op }) => op === "allMean");
  return {
    kind: "tensorflow",
    reason: options.reason(host.facts),
    precisions: ["float32", "bfloat16"],
    pid: host.pid,
    cluster: place,
    prepare: (task) => (cluster !== undefined && needsOthers(task) ? together(task, cluster) : alone(task)),
    dispose: () => host.close(),
  };
}
