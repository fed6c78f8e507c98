/** @file The child process: holds TensorFlow, one session per compiled function, and in a cluster this worker's server. */
import type { CreateRequest } from "../host/messages.ts";
import { type HostProgram, serveEngine } from "../host/serve.ts";
import { encodeConfig, encodeServer } from "./graph-def.ts";
import type { StepGraph } from "./step-graph.ts";
import { type Pointer, TfApi, TfError, type TfOutput } from "./tf-api.ts";

export type TensorflowSettings = {
  readonly framework: string;
  readonly core: string;
  readonly threads: number;
  /** host:port of each worker, and which of them this is. */
  readonly cluster?: { readonly workers: readonly string[]; readonly index: number };
};

type Server = { readonly target: string; readonly config: Uint8Array };

function startServer(tf: TfApi, { cluster, threads }: TensorflowSettings): Server | undefined {
  if (cluster === undefined) return undefined;
  const config = encodeConfig(threads, "/job:worker/replica:0/task:0");
  const definition = encodeServer(cluster.workers, cluster.index, config);
  const server = tf.checked("newServer", definition, definition.length);
  tf.checked("startServer", server);
  return { target: tf.plain<string>("serverTarget", server), config };
}

function openSession(tf: TfApi, graph: Pointer, config: Uint8Array, target?: string): Pointer {
  const options = tf.plain("newSessionOptions");
  tf.checked("setConfig", options, config, config.length);
  if (target !== undefined) tf.plain("setTarget", options, target);
  return tf.checked("newSession", graph, options);
}

/** The accelerator, where TensorFlow sees one. */
function findGpu(tf: TfApi, threads: number): boolean {
  const session = openSession(tf, tf.plain("newGraph"), encodeConfig(threads));
  const devices = tf.checked("listDevices", session);
  const count = tf.plain<number>("deviceCount", devices);
  const names = Array.from({ length: count }, (_, index) => String(tf.checked("deviceName", devices, index)));
  tf.checked("closeSession", session);
  tf.checked("deleteSession", session);
  return names.some((name) => name.includes("GPU"));
}

async function create(
  tf: TfApi,
  threads: number,
  server: Server | undefined,
  { model, inputs, outputs, state }: CreateRequest<StepGraph>,
): Promise<HostProgram> {
  const graph = tf.plain("newGraph");
  const bytes = tf.plain("newBuffer", model.graph, model.graph.length);
  const options = tf.plain("newImportOptions");
  tf.checked("importGraph", graph, bytes, options);
  tf.plain("deleteBuffer", bytes);
  tf.plain("deleteImportOptions", options);
  const session = model.together
    ? openSession(tf, graph, server!.config, server!.target)
    : openSession(tf, graph, encodeConfig(threads));

  const operation = (name: string): Pointer => tf.plain("operationByName", graph, name);
  const output = (reference: string): TfOutput => {
    const [name, index = "0"] = reference.split(":") as [string, string?];
    return { oper: operation(name), index: Number(index) };
  };
  const leaves = state.map(({ data: _, ...leaf }) => leaf);
  const feeds = model.inputs.map(output);
  const fetches = model.outputs.map(output);
  const targets = model.targets.map(operation);
  const stateFeeds = model.state.map(({ feed }) => output(feed));
  const stores = model.state.map(({ store }) => operation(store));
  const reads = model.state.map(({ read }) => output(read));
  const frees = model.state.map(({ free }) => operation(free));

  /** Feeds arrays, and copies what is fetched. */
  const run = async (
    fed: readonly TfOutput[],
    tensors: readonly Pointer[],
    fetched: readonly TfOutput[],
    effects: readonly Pointer[],
    values: Parameters<TfApi["read"]>[0][],
  ) => {
    try {
      const results = await tf.runSession(session, fed, tensors, fetched, effects);
      return results.map((tensor, index) => {
        const array = tf.read(values[index]!, tensor);
        tf.deleteTensor(tensor);
        return array;
      });
    } finally {
      for (const tensor of tensors) tf.deleteTensor(tensor);
    }
  };
  const load = async (values: readonly Parameters<TfApi["tensor"]>[1][]) => {
    if (leaves.length === 0) return;
    const tensors = leaves.map((leaf, index) => tf.tensor(leaf, values[index]!));
    await run(stateFeeds, tensors, [], stores, []);
  };

  await load(state.map(({ data }) => data));
  return {
    run: (values) => {
      const tensors = inputs.map((value, index) => tf.tensor(value, values[index]!));
      return run(feeds, tensors, fetches, targets, [...outputs]);
    },
    state: () => run([], [], reads, [], [...leaves]),
    load,
    async dispose() {
      if (frees.length > 0) await run([], [], [], frees, []);
      // Closing would ask the other workers, which may be gone already.
      if (model.together) return;
      tf.checked("closeSession", session);
      tf.checked("deleteSession", session);
      tf.plain("deleteGraph", graph);
    },
  };
}

const resourceExhausted = 8;
const unavailable = 14;

/** The first line that says something, without the names of nodes. */
function sentence(message: string): string {
  const lines = message.split("\n").map((line) => line.replace(/\s*\[\[.*$/, "").trim());
  return lines.find((line) => line !== "" && !/root error\(s\) found/.test(line))?.replace(/^\(\d+\) /, "") ?? message;
}

await serveEngine<StepGraph, TensorflowSettings>(async (settings) => {
  const tf = new TfApi(settings.framework, settings.core);
  const isGpu = findGpu(tf, settings.threads);
  const server = startServer(tf, settings);
  return {
    facts: { version: tf.version, device: isGpu ? "GPU" : "CPU" },
    create: (request) => create(tf, settings.threads, server, request),
    explain(error) {
      const line = sentence(error.message);
      if (!(error instanceof TfError)) return line;
      if (/No space left on device/.test(line)) return `the disk of the cache folder is full. Free some space. ${line}`;
      if (error.code === resourceExhausted) return `not enough memory. Take a smaller batch or model. ${line}`;
      return error.code === unavailable ? `a worker is gone: ${line}` : line;
    },
  };
});
