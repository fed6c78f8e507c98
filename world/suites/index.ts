import { ConfigError } from "#core/errors.ts";
import type { Embodiment } from "../embodiments/embodiment.ts";
import { pickPlaceSuite } from "./pick-place/suite.ts";
import { pushSuite } from "./push/suite.ts";
import type { Suite } from "./suite.ts";

export const suites: Readonly<Record<string, Suite>> = {
  [pushSuite.id]: pushSuite,
  [pickPlaceSuite.id]: pickPlaceSuite,
};

/** @throws ConfigError when no suite has this name */
export function findSuite(id: string): Suite {
  const suite = suites[id];
  if (suite) return suite;
  throw new ConfigError(`suite: must be one of ${Object.keys(suites).join(", ")}, got "${id}". Choose one.`);
}

/** @throws ConfigError when the suite has no such embodiment */
export function findEmbodiment(id: string, suite = "push"): Embodiment {
  const { embodiments } = findSuite(suite);
  const found = embodiments[id];
  if (found) return found;
  throw new ConfigError(`embodiment: must be one of ${Object.keys(embodiments).join(", ")}, got "${id}". Choose one.`);
}
