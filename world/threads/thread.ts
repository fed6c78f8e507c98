/** @file What runs inside a thread: does jobs one after the other and posts what they give. */
import { parentPort } from "node:worker_threads";
import type { SimulatedEpisode } from "../episode.ts";
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
  const { frames, pictures } = (value ?? {}) as Partial<SimulatedEpisode>;
  const arrays = new Set(
    [frames, ...Object.values(pictures ?? {})].flatMap((pixels) => (pixels ? [pixels.buffer] : [])),
  );
  return [...arrays] as ArrayBuffer[];
}
