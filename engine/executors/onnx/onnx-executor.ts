/** @file ONNX Runtime in a child process. */
import type { Executor } from "../executor.ts";
import { startHost } from "../host/host-process.ts";
import { prepareHosted, signatureOf } from "../host/hosted-executor.ts";
import { toOnnx } from "./onnx-model.ts";

/** @throws UserError when ONNX Runtime cannot be loaded */
export async function createOnnxExecutor(threads: number, reason: string): Promise<Executor> {
  const host = await startHost({ label: "onnxruntime", program: new URL("./onnx-host.ts", import.meta.url) });
  let handles = 0;
  return {
    kind: "onnxruntime",
    reason,
    // Its kernels for the CPU convert bfloat16 back and forth: slower than float32 and no more exact.
    precisions: ["float32"],
    pid: host.pid,
    prepare: (task) =>
      prepareHosted(host, ++handles, task, signatureOf(task), { bytes: toOnnx(task.program), threads }),
    dispose: () => host.close(),
  };
}
