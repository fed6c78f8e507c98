/** @file How episodes differ in what cannot be seen before one acts: friction, mass and bumps. */
import type { Rng } from "#core/rng.ts";
import type { Dynamics, Nudge } from "./initial.ts";
import type { Level } from "./looks.ts";

/** Factors are drawn between 1 / spread and spread. */
const frictionSpread: Readonly<Record<Level, number>> = { none: 1, low: 1.25, high: 2 };
const massSpread: Readonly<Record<Level, number>> = { none: 1, low: 1.4, high: 2.5 };

/** A factor and its inverse are equally likely. */
function factor(spread: number, rng: Rng): number {
  const up = 1 + (spread - 1) * rng.next();
  return rng.next() < 0.5 ? up : 1 / up;
}

export const drawDynamics = (level: Level, rng: Rng): Dynamics => ({
  friction: factor(frictionSpread[level], rng),
  mass: factor(massSpread[level], rng),
});

/** With the given probability, one object is bumped to a side somewhere in the first half of an episode. */
export function drawNudges(probability: number, objects: readonly string[], maxSteps: number, rng: Rng): Nudge[] {
  const isBumped = rng.next() < probability;
  const object = rng.pick(objects);
  const step = 2 + rng.integer(Math.max(1, Math.floor(maxSteps / 3)));
  for (;;) {
    const [x, y] = [rng.uniform(-1, 1), rng.uniform(-1, 1)];
    const length = Math.sqrt(x * x + y * y);
    if (length < 0.1 || length > 1) continue;
    // Slides about v^2 / (2 mu g): 4 to 9 cm on the table's friction.
    const speed = rng.uniform(0.6, 0.95);
    return isBumped ? [{ step, object, velocity: [(speed * x) / length, (speed * y) / length, 0] }] : [];
  }
}
