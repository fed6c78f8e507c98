export { type BackboneParameters, backbone } from "./backbone.ts";
export * from "./config.ts";
export { type LatentVlaParameters, latentLogits } from "./model.ts";
export * from "./samples.ts";
export * from "./train-step.ts";
