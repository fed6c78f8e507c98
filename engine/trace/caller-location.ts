const engineFiles =
  /node_modules[\\/](@tensorflow|onnxruntime)|[\\/]engine[\\/](trace|program|compile|tf)|^node:|\(node:|<anonymous>/;

/** `file.ts:12:3` of the innermost caller outside TensorFlow.js and the tracer. */
export function callerLocation(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  const frame = frames.find((line) => !engineFiles.test(line)) ?? frames.at(-1) ?? "";
  return /(?:file:\/\/)?([^\s()]+:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace("file://", "") ?? "an unknown place";
}
