export * from "./batches.ts";
export * from "./colour.ts";
export * from "./config.ts";
export { initKeypointStem, type KeypointStem, keypointStem } from "./keypoint-stem.ts";
export * from "./model.ts";
export { patchify } from "./patches.ts";
export * from "./train-step.ts";
