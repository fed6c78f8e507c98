import { fileURLToPath } from "node:url";

const engine = fileURLToPath(new URL("..", import.meta.url));
const own = ["trace/", "program/", "compile.ts", "tf.ts"].map((name) => `${engine}${name}`);

// With source maps the frames of TensorFlow.js read tfjs-core/src/engine.ts.
const foreign = /[\\/](@tensorflow|tfjs-[a-z-]+)[\\/]|^node:|\(node:|<anonymous>/;

const isCaller = (frame: string) => !foreign.test(frame) && !own.some((place) => frame.includes(place));

/** `file.ts:12:3` of the innermost caller outside TensorFlow.js and the tracer. */
export function callerLocation(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  const frame = frames.find(isCaller) ?? frames.at(-1) ?? "";
  return /(?:file:\/\/)?([^\s()]+:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace("file://", "") ?? "an unknown place";
}
