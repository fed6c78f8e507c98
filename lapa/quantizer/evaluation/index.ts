export type { Estimate } from "./clip-bootstrap.ts";
export * from "./examine.ts";
export { judgeExamination, type Verdict } from "./gates.ts";
export { usageByPosition } from "./usage-by-position.ts";
