import { ConfigError } from "#core/errors.ts";
import { arm } from "./arm/arm.ts";
import type { Embodiment, EmbodimentId } from "./embodiment.ts";
import { hand } from "./hand.ts";
import { pusher } from "./pusher.ts";

export const embodiments: Readonly<Record<string, Embodiment>> = { pusher, arm, hand };

/** @throws ConfigError when there is no such embodiment */
export function findEmbodiment(id: EmbodimentId | string): Embodiment {
  const found = embodiments[id];
  if (found) return found;
  throw new ConfigError(`embodiment: must be one of ${Object.keys(embodiments).join(", ")}, got "${id}". Choose one.`);
}
