import { describeExecutor } from "./executor-contract.ts";

describeExecutor("onnxruntime");
