import { ConfigError } from "#core/errors.ts";
import type { PickPlaceConfig } from "./pick-place/config.ts";
import type { PushConfig } from "./push/config.ts";

/**
 * Controlled shifts of a suite, for measuring what a policy withstands. Tasks, places and starts are those of the suite
 * itself for the same seeds (but for `clutter`, which needs other places), so results can be compared pair by pair.
 */
export const perturbationNames = ["none", "camera", "looks", "dynamics", "nudges", "clutter", "hard"] as const;
export type PerturbationName = (typeof perturbationNames)[number];

const shifts = {
  none: {},
  /** The camera stands elsewhere. */
  camera: { camera: "high" },
  /** Other tables, lights and colours of bodies. */
  looks: { looks: "high" },
  /** Friction up to twice, mass up to two and a half times as large or as small. */
  dynamics: { dynamics: "high" },
  /** Something bumps into a thing in the middle of every episode. */
  nudges: { nudges: 1 },
} as const;

/** The suite under one shift; `hard` is all of them at once. @throws ConfigError when there is no such shift */
export function perturb<Config extends PushConfig | PickPlaceConfig>(config: Config, name: PerturbationName): Config {
  if (name in shifts) return { ...config, ...shifts[name as keyof typeof shifts] };
  const clutter =
    config.suite === "push" ? { blocks: 8, maxSteps: Math.max(config.maxSteps, 100) } : { distractors: 2 };
  if (name === "clutter") return { ...config, ...clutter };
  if (name === "hard") {
    return { ...config, ...shifts.camera, ...shifts.looks, ...shifts.dynamics, ...shifts.nudges, ...clutter };
  }
  throw new ConfigError(`perturbation: must be one of ${perturbationNames.join(", ")}, got "${name}". Choose one.`);
}
