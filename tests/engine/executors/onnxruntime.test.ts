import { describeExecutor } from "./executor-contract.ts";

describeExecutor({ kind: "onnxruntime" });
