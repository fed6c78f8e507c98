import { ConfigError } from "#core/errors.ts";
import type { Embodiment } from "../embodiments/embodiment.ts";
import { pickPlaceSuite } from "./pick-place/suite.ts";
import { pushSuite } from "./push/suite.ts";
import type { Suite } from "./suite.ts";

const suites = new Map<string, Suite>([pushSuite, pickPlaceSuite].map((suite) => [suite.id, suite]));

export const suiteNames = (): readonly string[] => [...suites.keys()];

/** Makes a suite known to this thread. Others, and the threads that simulate, know what is listed above. */
export function addSuite(suite: Suite): void {
  suites.set(suite.id, suite);
}

/** @throws ConfigError when no suite has this name */
export function findSuite(id: string): Suite {
  const suite = suites.get(id);
  if (suite) return suite;
  throw new ConfigError(`suite: must be one of ${suiteNames().join(", ")}, got "${id}". Choose one.`);
}

/** @throws ConfigError when the suite has no such embodiment */
export function findEmbodiment(id: string, suite = "push"): Embodiment {
  const { embodiments } = findSuite(suite);
  const found = embodiments[id];
  if (found) return found;
  throw new ConfigError(`embodiment: must be one of ${Object.keys(embodiments).join(", ")}, got "${id}". Choose one.`);
}
