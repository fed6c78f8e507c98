import { describeExecutor } from "./executor-contract.ts";
import { describeEngine } from "./installed-engines.ts";
import { describeProcess } from "./process-contract.ts";

await describeEngine("xla", (cacheFolder) => {
  describeExecutor({ kind: "xla", cacheFolder });
  describeProcess({ kind: "xla", cacheFolder });
});
