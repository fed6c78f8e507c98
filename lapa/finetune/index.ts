export * from "./config.ts";
export * from "./open-policy.ts";
export * from "./policy.ts";
export * from "./presets.ts";
export * from "./train.ts";
