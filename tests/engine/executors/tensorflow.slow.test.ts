import { describeExecutor } from "./executor-contract.ts";
import { describeEngine } from "./installed-engines.ts";
import { describeProcess } from "./process-contract.ts";

await describeEngine("tensorflow", (cacheFolder) => {
  describeExecutor({ kind: "tensorflow", cacheFolder });
  describeProcess({ kind: "tensorflow", cacheFolder });
});
