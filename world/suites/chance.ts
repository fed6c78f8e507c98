/** @file Draws that suites share. */
import type { Quaternion } from "#core/geometry/quaternion.ts";
import type { Rng } from "#core/rng.ts";

/** One of the items, each as likely as its weight says. */
export function pickWeighted<T extends { readonly weight: number }>(items: readonly T[], rng: Rng): T {
  let left = rng.next() * items.reduce((sum, { weight }) => sum + weight, 0);
  for (const item of items) {
    left -= item.weight;
    if (left < 0) return item;
  }
  return items.at(-1)!;
}

/** A uniform turn about Z from a point in the disc: no trigonometry, so the same on every machine. */
export function turnAboutZ(rng: Rng): Quaternion {
  for (;;) {
    const [a, b] = [rng.uniform(-1, 1), rng.uniform(-1, 1)];
    const length = Math.sqrt(a * a + b * b);
    if (length > 0.05 && length <= 1) return [0, 0, a / length, b / length];
  }
}
