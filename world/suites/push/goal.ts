import type { TaskKind, Thresholds } from "./config.ts";
import type { Direction, Place } from "./grammar.ts";

/** `TaskInstance.goal` of the push suite; plain JSON. */
export type PushGoal = {
  readonly kind: TaskKind;
  /** Id of the block to move (or to reach). */
  readonly subject: string;
  readonly reference?: string;
  readonly place?: Place;
  readonly direction?: Direction;
  /** Distance from the tip to a touched block's surface, metres. */
  readonly tipRadiusM: number;
  readonly holdSteps: number;
  readonly maxSteps: number;
  readonly thresholds: Thresholds;
};
