/** @file ONNX Runtime in a child process: a crash or a long run there never blocks or kills the caller. */
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inputName, nextStateName, outputName, stateName } from "../../trace/trace.ts";
import { flattenTree, type HostArray } from "../../tree.ts";
import type { Executor, ExecutorProgram, PrepareTask } from "../executor.ts";
import type { HostData, Reply, Request } from "./host-messages.ts";
import type { OnnxValue } from "./onnx-file.ts";
import { toOnnx } from "./onnx-model.ts";

type Answer = { readonly result: readonly HostData[]; readonly computeMs: number };
type Pending = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

/** Request and reply over the child's channel; the channel keeps this process alive only while a reply is due. */
class HostProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended: string | undefined;
  #complaints = "";

  constructor() {
    const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
    this.#child = fork(fileURLToPath(new URL("./onnx-host.ts", import.meta.url)), [], {
      execArgv: ["--import", loader],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (chunk) => {
      this.#complaints = `${this.#complaints}${chunk}`.slice(-2000);
    });
    this.#child.on("message", (reply) => this.#settle(reply as Reply));
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("exit", (code, signal) => this.#end(signal === null ? `exit code ${code}` : `signal ${signal}`));
    this.#child.unref();
    (this.#child.stderr as unknown as { unref(): void } | null)?.unref();
    this.#child.channel?.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(request: Request): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(new Error(this.#ended));
    const id = ++this.#lastId;
    this.#child.channel?.ref();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#child.send({ id, request }, (error) => {
        if (error !== null) this.#end(error.message);
      });
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#child.channel?.unref();
    if ("result" in reply) waiting?.resolve(reply);
    else waiting?.reject(new Error(`onnxruntime: ${reply.error}`));
  }

  #end(how: string): void {
    if (this.#ended !== undefined) return;
    const said = this.#complaints.trim().split("\n").at(-1);
    this.#ended =
      `onnxruntime: the engine's process ended (${how})${said ? `: ${said}` : ""}. ` +
      "Its state is lost; go on from the last checkpoint.";
    for (const { reject } of this.#pending.values()) reject(new Error(this.#ended));
    this.#pending.clear();
  }

  close(): Promise<void> {
    if (this.#ended !== undefined) return Promise.resolve();
    this.#ended = "onnxruntime: the executor was disposed.";
    for (const { reject } of this.#pending.values()) reject(new Error(this.#ended));
    this.#pending.clear();
    return new Promise((resolve) => {
      this.#child.ref();
      this.#child.once("exit", () => resolve());
      this.#child.disconnect();
    });
  }
}

/** Data read from a message shares the message's memory: a copy is the caller's own. */
const own = (data: HostData) => (data.buffer.byteLength === data.byteLength ? data : data.slice());

const hostArray = (value: OnnxValue, data: HostData): HostArray => ({
  shape: value.shape,
  dtype: value.type as HostArray["dtype"],
  data: own(data),
});

async function prepare(
  host: HostProcess,
  handle: number,
  threads: number,
  task: PrepareTask,
): Promise<ExecutorProgram> {
  const { bytes, inputs, outputs } = toOnnx(task.program);
  const order = Object.keys(task.inputs);
  const fed = order.map((key) => inputs.find((value) => value.name === inputName(key))!);
  const names = new Map(task.program.outputs.map(({ name, node }) => [name, node]));
  const results = outputs.filter((value) => value.name.startsWith(outputName("")));
  const state = flattenTree(task.state).map(([path, array]) => {
    const value = inputs.find(({ name }) => name === stateName(path))!;
    const next = nextStateName(path);
    const node = task.program.nodes[names.get(next) ?? -1];
    // A leaf that comes back as it went in stays where it is.
    const unchanged = node === undefined || (node.op === "input" && node.attributes.name === value.name);
    return { ...value, path, data: array.data, next: unchanged ? undefined : next };
  });
  await host.send({
    method: "create",
    handle,
    threads,
    model: bytes,
    inputs: fed,
    outputs: results,
    state: state.map(({ path, ...value }) => value),
  });
  const prefix = outputName("").length;
  let computeMs = 0;
  return {
    get computeMs() {
      return computeMs;
    },
    async run(values) {
      const answer = await host.send({ method: "run", handle, inputs: order.map((key) => values[key]!) });
      computeMs += answer.computeMs;
      return Object.fromEntries(
        results.map((value, index) => [value.name.slice(prefix), hostArray(value, answer.result[index]!)]),
      );
    },
    async state() {
      const { result } = await host.send({ method: "state", handle });
      return state.map((value, index) => [value.path, hostArray(value, result[index]!)] as const);
    },
    async load(entries) {
      const given = new Map(entries);
      await host.send({ method: "load", handle, state: state.map(({ path }) => given.get(path)!.data) });
    },
    async dispose() {
      await host.send({ method: "dispose", handle });
    },
  };
}

export type OnnxExecutor = Executor & { readonly pid: number | undefined };

export function createOnnxExecutor(threads: number, reason: string): OnnxExecutor {
  const host = new HostProcess();
  let handles = 0;
  return {
    kind: "onnxruntime",
    reason,
    pid: host.pid,
    prepare: (task) => prepare(host, ++handles, threads, task),
    dispose: () => host.close(),
  };
}
