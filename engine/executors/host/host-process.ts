/** @file The link to an engine's process: requests and replies, and what happens when it dies. */
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { environmentWith } from "#core/config/environment.ts";
import { UserError } from "#core/errors.ts";
import type { Facts, HostData, Reply, Request } from "./messages.ts";

type Answer = { readonly result: readonly HostData[]; readonly computeMs: number; readonly facts?: Facts };
type Pending = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

export type HostProcess = {
  readonly pid: number | undefined;
  readonly facts: Facts;
  send(request: Request): Promise<Answer>;
  /** Ends the process; requests on their way are refused. */
  close(): Promise<void>;
  /** Ends the process at once, also when it hangs. */
  kill(): void;
};

export type HostOptions = {
  /** First word of every message. */
  readonly label: string;
  /** The host's TypeScript file: calls `serveEngine`. */
  readonly program: URL;
  readonly settings?: unknown;
  /** Variables that libraries read when the process starts. */
  readonly environment?: Readonly<Record<string, string>>;
};

/**
 * Starts the process and waits until the engine is loaded there.
 *
 * @throws UserError when it cannot start: its own sentence, or the last line that the process wrote
 */
export async function startHost({
  label,
  program,
  settings = {},
  environment = {},
}: HostOptions): Promise<HostProcess> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fork(fileURLToPath(program), [JSON.stringify(settings)], {
    execArgv: ["--import", loader],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: environmentWith(environment),
  });
  const host = connect(child, label);
  const { facts = {} } = await host.ready;
  return { ...host, facts };
}

const hints: Readonly<Record<string, string>> = {
  SIGILL: "the library uses instructions that this processor lacks",
  SIGBUS: "the library file is cut or the memory is exhausted",
  SIGKILL: "the system does that when memory runs out",
};

/** The engine keeps this process alive only while a reply is due. */
function connect(child: ChildProcess, label: string): Omit<HostProcess, "facts"> & { readonly ready: Promise<Answer> } {
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
  const died = (how: string, hint?: string) => {
    const lines = complaints.trim().split("\n");
    const said = hint ?? lines.find((line) => line.includes("Error:")) ?? lines.at(-1);
    end(
      `${label}: the engine's process ended (${how})${said ? `: ${said.trim()}` : ""}. ` +
        "Its state is lost; go on from the last checkpoint.",
    );
  };
  const expect = (id: number) => {
    child.channel?.ref();
    child.ref();
    return new Promise<Answer>((resolve, reject) => pending.set(id, { resolve, reject }));
  };

  child.stderr?.on("data", (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-4000);
  });
  child.on("message", (reply: Reply) => {
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if (pending.size === 0) {
      child.channel?.unref();
      child.unref();
    }
    if ("result" in reply) waiting?.resolve(reply);
    else waiting?.reject(new UserError(`${label}: ${reply.error}`));
  });
  child.on("error", (error) => died(error.message));
  // What the process said last is read in the turn after its exit. (Its stderr may stay open: the loader's helper has it.)
  child.on("exit", (code, signal) => {
    setImmediate(() => died(signal === null ? `exit code ${code}` : `signal ${signal}`, hints[signal ?? ""]));
  });
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
      end(`${label}: the executor was disposed.`);
      child.ref();
      return new Promise((resolve) => {
        child.once("exit", () => resolve());
        if (child.connected) child.disconnect();
      });
    },
    kill() {
      child.kill("SIGKILL");
    },
  };
}
