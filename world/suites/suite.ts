import type { TaskInstance, Verifier } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import { createPushExpert, type Expert } from "./push/expert.ts";
import type { PushGoal, TableTruth } from "./push/goal.ts";
import { readTruth, verifyPush } from "./push/verifier.ts";

/** What the world must know of a suite to run its episodes. */
export type Suite = {
  readonly verify: Verifier;
  readonly truth: typeof readTruth;
  readonly maxSteps: (instance: TaskInstance) => number;
  /** Rows at the end that the verifier looks at: a cheap check while the episode runs. */
  readonly holdSteps: (instance: TaskInstance) => number;
  readonly expert: (instance: TaskInstance, seed: number | string) => Expert;
};

export type { Expert, TableTruth };

const goalOf = (instance: TaskInstance) => instance.goal as PushGoal;

const suites: Readonly<Record<string, Suite>> = {
  push: {
    verify: verifyPush,
    truth: readTruth,
    maxSteps: (instance) => goalOf(instance).maxSteps,
    holdSteps: (instance) => goalOf(instance).holdSteps,
    expert: (instance, seed) => createPushExpert(goalOf(instance), seed),
  },
};

/** @throws ConfigError when no suite has this name */
export function findSuite(id: string): Suite {
  const suite = suites[id];
  if (suite) return suite;
  throw new ConfigError(`suite: must be one of ${Object.keys(suites).join(", ")}, got "${id}". Choose one.`);
}
