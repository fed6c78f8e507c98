/** @file What runs inside a thread: does jobs one after the other and posts what they give. */
import { parentPort } from "node:worker_threads";
import { createJobs } from "./jobs.ts";
import { packError } from "./thread-error.ts";
import type { ThreadReply, ThreadRequest } from "./threads.ts";

const port = parentPort;
if (!port) throw new Error("thread.ts is the inside of a worker thread");
const jobs = createJobs();

port.on("message", async ({ id, job, input }: ThreadRequest) => {
  let reply: ThreadReply;
  try {
    reply = { id, value: await jobs[job](input as never) };
  } catch (error) {
    reply = { id, error: packError(error) };
  }
  port.postMessage(reply, pictureBuffers(reply.value));
});

/** Pictures are handed over, not copied. */
function pictureBuffers(value: unknown): ArrayBuffer[] {
  const frames = (value as { frames?: unknown } | undefined)?.frames;
  return frames instanceof Uint8Array ? [frames.buffer as ArrayBuffer] : [];
}
