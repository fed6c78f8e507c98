import { describeExecutor } from "./executor-contract.ts";
import { describeEngine } from "./installed-engines.ts";

describeEngine("tensorflow", () => describeExecutor("tensorflow"));
