export { type BackboneParameters, backbone, initBackbone } from "./backbone.ts";
export * from "./config.ts";
export { type LatentVlaParameters, latentLogits } from "./model.ts";
export * from "./open-backbone.ts";
export * from "./presets.ts";
export * from "./samples.ts";
export * from "./train.ts";
export * from "./train-step.ts";
