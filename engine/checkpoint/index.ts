export { checkFit } from "../fit.ts";
export * from "./checkpoint.ts";
export * from "./checkpoint-folder.ts";
export type { CheckpointFacts, CheckpointMeta } from "./meta.ts";
export * from "./open-model.ts";
export { readSafetensors, writeSafetensors } from "./safetensors.ts";
