/** @file Threads that hold simulated worlds. With none, the same work runs in the calling thread. */
import { Worker } from "node:worker_threads";
import { createJobs, type Jobs } from "./jobs.ts";
import { type SentError, unpackError } from "./thread-error.ts";

type JobName = keyof Jobs;
export type ThreadReply = { readonly id: number; readonly value?: unknown; readonly error?: SentError };
export type ThreadRequest = { readonly id: number; readonly job: JobName; readonly input: unknown };

/** One thread's jobs, seen from outside. */
export type Thread = {
  run<Name extends JobName>(job: Name, input: Parameters<Jobs[Name]>[0]): ReturnType<Jobs[Name]>;
  close(): Promise<void>;
};

/** Opens `count` threads; with 0 one that is not a thread. Close them when done. */
export function openThreads(count: number): readonly Thread[] {
  return count === 0 ? [openHere()] : Array.from({ length: count }, openThread);
}

function openHere(): Thread {
  const jobs = createJobs();
  return {
    run: (async (job: JobName, input: never) => jobs[job](input)) as Thread["run"],
    close: async () => jobs.close(),
  };
}

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void };

function openThread(): Thread {
  const worker = new Worker(new URL("./start-thread.js", import.meta.url), { execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.unref();
  worker.on("message", ({ id, value, error }: ThreadReply) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (error) call?.reject(unpackError(error));
    else call?.resolve(value as never);
  });
  worker.on("error", end);
  worker.on("exit", (code) => end(new Error(`a world's thread ended with code ${code}`)));
  return {
    run: ((job: JobName, input: unknown) => {
      if (ended) return Promise.reject(ended);
      const id = ++lastId;
      worker.ref();
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
        worker.postMessage({ id, job, input } satisfies ThreadRequest);
      });
    }) as Thread["run"],
    close: async () => {
      ended ??= new Error("this world's thread was closed");
      await worker.terminate();
    },
  };
}
