import type { StateLog, TaskInstance, Verifier } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import { createPushExpert, type Expert } from "./push/expert.ts";
import type { PushGoal, TableTruth } from "./push/goal.ts";
import { isPushMet, readTruth, verifyPush } from "./push/verifier.ts";

/** What the world must know of a suite to run its episodes. */
export type Suite = {
  readonly verify: Verifier;
  readonly truth: typeof readTruth;
  readonly maxSteps: (instance: TaskInstance) => number;
  /** Whether the goal's condition holds on the last rows: the cheap part of `verify`, asked after every step. */
  readonly isMet: (log: StateLog, goal: unknown) => boolean;
  readonly expert: (instance: TaskInstance, seed: number | string) => Expert;
};

export type { Expert, TableTruth };

const goalOf = (instance: TaskInstance) => instance.goal as PushGoal;

const suites: Readonly<Record<string, Suite>> = {
  push: {
    verify: verifyPush,
    truth: readTruth,
    maxSteps: (instance) => goalOf(instance).maxSteps,
    isMet: isPushMet,
    expert: (instance, seed) => createPushExpert(goalOf(instance), seed),
  },
};

/** @throws ConfigError when no suite has this name */
export function findSuite(id: string): Suite {
  const suite = suites[id];
  if (suite) return suite;
  throw new ConfigError(`suite: must be one of ${Object.keys(suites).join(", ")}, got "${id}". Choose one.`);
}
