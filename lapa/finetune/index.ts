export * from "./config.ts";
export * from "./export.ts";
export * from "./inference.ts";
export * from "./open-policy.ts";
export * from "./policy.ts";
export * from "./presets.ts";
export * from "./temporal-ensemble.ts";
export * from "./train.ts";
