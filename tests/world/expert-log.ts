import { playExpert } from "#world/episode.ts";
import { createWorld, drawInstance, pushPresets, type SuiteConfig } from "#world/index.ts";
import type { RolloutLog } from "#world/scene/rollout-log.ts";

/** The log of one expert rollout. */
export async function expertLog(
  embodiment: string,
  seed: number,
  suite: SuiteConfig = pushPresets["language-table"],
): Promise<RolloutLog> {
  const world = await createWorld({ size: 8 });
  const instance = drawInstance({ suite, embodiment, split: "train", seed });
  const { log } = playExpert(world, instance, 0, true);
  world.close();
  return log!;
}
