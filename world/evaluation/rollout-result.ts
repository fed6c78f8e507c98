import type { TaskInstance } from "#core/contracts/world.ts";
import type { RolloutLog } from "../scene/rollout-log.ts";
import type { SimulatedWorld } from "../world.ts";

/** How one rollout ended. */
export type RolloutResult = {
  /** Place in the list of instances. */
  readonly index: number;
  readonly hash: string;
  readonly task: string;
  readonly instruction: string;
  readonly split: string;
  readonly success: boolean;
  /** Why it failed, in sentences; empty for successes. */
  readonly reasons: readonly string[];
  /** Control steps until success, failure or the time limit. */
  readonly steps: number;
  /** The physics broke down: the rollout counts for nothing. */
  readonly unstable: boolean;
  /** Of the chosen rollouts. */
  readonly log?: RolloutLog;
};

/** Reads off how the world's episode stands. */
export function rolloutResult(world: SimulatedWorld, index: number, record: string | null): RolloutResult {
  const { hash, task, instruction, split }: TaskInstance = world.instance;
  const { success, reasons } = world.verdict();
  const { unstable } = world.progress;
  return {
    index,
    hash,
    task,
    instruction,
    split,
    success: success && !unstable,
    reasons: unstable ? ["the physics became unstable"] : reasons,
    steps: world.stepsTaken,
    unstable,
    ...(record === null ? {} : { log: world.log(record) }),
  };
}
