import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BatchPolicy } from "#core/contracts/policy.ts";
import { mcnemar, type PairedTest } from "#core/statistics/proportion.ts";
import {
  drawInstances,
  evaluatePolicy,
  findEmbodiment,
  pushPresets,
  type RolloutResult,
  type RolloutSummary,
  randomPolicy,
  summariseRollouts,
  writeRollout,
  zeroPolicy,
} from "#world/index.ts";
import type { Context } from "../command.ts";
import { demoRobot as robot } from "./config.ts";

/** Rollouts of each trained policy that the viewer can play. */
const recorded = 12;

export type PlayedPolicy = { readonly arm: string; readonly summary: RolloutSummary };

export type PlayedPolicies = {
  readonly arms: readonly PlayedPolicy[];
  /** LAPA against Scratch on the same instances. */
  readonly paired: PairedTest;
};

/** Plays the trained policies and two that know nothing on the same instances; writes rollouts for the viewer. */
export async function playPolicies(
  policies: ReadonlyMap<string, BatchPolicy>,
  { folder, rollouts, seed }: { readonly folder: string; readonly rollouts: number; readonly seed: number },
  context: Context,
): Promise<PlayedPolicies> {
  const { space } = findEmbodiment(robot);
  const floors = new Map([
    ["random", randomPolicy({ space, seed })],
    ["still", zeroPolicy({ space })],
  ]);
  const instances = drawInstances({
    ...{ suite: pushPresets.demo, embodiment: robot, split: "seen", seed: 1000 + seed, count: rollouts },
  });
  const outcomes = new Map<string, RolloutResult[]>();
  for (const [arm, policy] of [...policies, ...floors]) {
    const progress = context.progress(`play ${arm}`, rollouts, "rollouts");
    const results = await evaluatePolicy({
      ...{ instances, policy, signal: context.signal },
      record: (index) => policies.has(arm) && index < recorded,
      onProgress: (done) => progress.update(done),
    });
    const { success } = summariseRollouts(results);
    progress.finish(`${success.successes} of ${success.count} solved`);
    outcomes.set(arm, results);
    mkdirSync(join(folder, arm), { recursive: true });
    for (const { log, index } of results) {
      if (log) await writeRollout(join(folder, arm, `${String(index).padStart(3, "0")}.rollout`), log);
    }
  }
  const solved = (arm: string) => outcomes.get(arm)!.map(({ success }) => success);
  return {
    arms: [...outcomes].map(([arm, results]) => ({ arm, summary: summariseRollouts(results) })),
    paired: mcnemar(solved("lapa"), solved("scratch")),
  };
}
