/** @file The link to ONNX Runtime's process: requests and replies, and what happens when it dies. */
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UserError } from "#core/errors.ts";
import type { HostData, Reply, Request } from "./host-messages.ts";

type Answer = { readonly result: readonly HostData[]; readonly computeMs: number };
type Pending = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

export type HostProcess = {
  readonly pid: number | undefined;
  send(request: Request): Promise<Answer>;
  /** Ends the process; requests on their way are refused. */
  close(): Promise<void>;
};

/**
 * Starts the process and waits until ONNX Runtime is loaded there.
 *
 * @throws UserError with the last line that the process wrote when it cannot start
 */
export async function startHost(program = new URL("./onnx-host.ts", import.meta.url)): Promise<HostProcess> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fork(fileURLToPath(program), [], {
    execArgv: ["--import", loader],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const host = connect(child);
  await host.ready;
  return host;
}

/** The channel keeps this process alive only while a reply is due. */
function connect(child: ChildProcess): HostProcess & { readonly ready: Promise<Answer> } {
  const pending = new Map<number, Pending>();
  const readyId = 0;
  let lastId = readyId;
  let ended: UserError | undefined;
  let complaints = "";

  const end = (reason: string) => {
    if (ended !== undefined) return;
    ended = new UserError(reason);
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  };
  const died = (how: string) => {
    const lines = complaints.trim().split("\n");
    const said = lines.find((line) => line.includes("Error:")) ?? lines.at(-1);
    end(
      `onnxruntime: the engine's process ended (${how})${said ? `: ${said.trim()}` : ""}. ` +
        "Its state is lost; go on from the last checkpoint.",
    );
  };
  const expect = (id: number) => {
    child.channel?.ref();
    return new Promise<Answer>((resolve, reject) => pending.set(id, { resolve, reject }));
  };

  child.stderr?.on("data", (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-4000);
  });
  child.on("message", (reply: Reply) => {
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if (pending.size === 0) child.channel?.unref();
    if ("result" in reply) waiting?.resolve(reply);
    else waiting?.reject(new UserError(`onnxruntime: ${reply.error}`));
  });
  child.on("error", (error) => died(error.message));
  // What the process said last is read in the turn after its exit. (Its stderr may stay open: the loader's helper has it.)
  child.on("exit", (code, signal) => {
    setImmediate(() => died(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  child.unref();
  (child.stderr as unknown as { unref(): void } | null)?.unref();

  return {
    pid: child.pid,
    ready: expect(readyId),
    send(request) {
      if (ended !== undefined) return Promise.reject(ended);
      const id = ++lastId;
      const answer = expect(id);
      child.send({ id, request }, (error) => {
        if (error !== null) died(error.message);
      });
      return answer;
    },
    close() {
      if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
      end("onnxruntime: the executor was disposed.");
      child.ref();
      return new Promise((resolve) => {
        child.once("exit", () => resolve());
        if (child.connected) child.disconnect();
      });
    },
  };
}
