import { playExpert } from "#world/episode.ts";
import { createWorld, drawInstance, pushPresets } from "#world/index.ts";
import type { RolloutLog } from "#world/scene/rollout-log.ts";

/** The log of one expert rollout. */
export async function expertLog(embodiment: string, seed: number): Promise<RolloutLog> {
  const world = await createWorld({ size: 8 });
  const instance = drawInstance({ suite: pushPresets["language-table"], embodiment, split: "train", seed });
  const { log } = playExpert(world, instance, 0, true);
  world.close();
  return log!;
}
