export * from "./config.ts";
export * from "./open-policy.ts";
export * from "./policy.ts";
export * from "./train.ts";
