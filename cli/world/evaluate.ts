import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { mcnemar } from "#core/statistics/proportion.ts";
import {
  chooseSuite,
  drawInstances,
  perturbationNames,
  type RolloutResult,
  splits,
  suitePresetNames,
  summariseRollouts,
  writeRollout,
} from "#world/index.ts";
import { type Context, defineCommand } from "../command.ts";
import { engineConfig } from "../training.ts";
import { playInstances } from "./play.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export const evaluateCommand = defineCommand({
  summary: "plays a policy in simulation and counts what it solves, alone or against another",
  config: z.strictObject({
    policy: z
      .string()
      .describe("run or checkpoint of a policy, a policy server's address, or one of expert, zero, random"),
    against: z.string().default("").describe("another policy, compared pair by pair on the same tasks"),
    suite: z.enum(suitePresetNames).default("demo").describe("tasks; push and pick-place are all of a suite's"),
    split: z.enum(splits).default("seen").describe("which tasks"),
    perturbation: z.enum(perturbationNames).default("none").describe("controlled shift of the suite"),
    changes: z.record(z.string(), z.unknown()).default({}).describe('fields of the suite: {"nudges": 0.5}'),
    embodiment: z.string().default("arm").describe("whose body; push: arm, pusher; pick-place: widowx, panda"),
    rollouts: z.number().int().positive().default(100).describe("episodes; the same for every policy of a seed"),
    executeSteps: z.number().int().min(0).default(0).describe("actions of a chunk that are executed; 0: all"),
    timeoutMs: z.number().positive().default(120_000).describe("longest wait for one answer of the policy, ms"),
    seed: z.number().int().min(0).default(1000).describe("seed of the tasks"),
    workers: z.number().int().min(0).default(2).describe("threads for physics and pictures"),
    record: z.number().int().min(0).default(0).describe("rollouts to write, for the viewer and world record"),
    out: z.string().default("runs/rollouts").describe("folder of written rollouts"),
    engine: engineConfig.prefault({}),
  }),
  positionals: ["policy"],
  example: "world evaluate runs/policy --suite pick-place --embodiment widowx --rollouts 200 --against expert",
  async run({ policy, against, record, out, ...settings }, context) {
    const { embodiment, split, seed, rollouts } = settings;
    const suite = chooseSuite(settings);
    const instances = drawInstances({ suite, embodiment, split, seed, count: rollouts });
    const play = (where: string, recorded: number) =>
      playInstances({ ...settings, where, instances, record: (index) => index < recorded }, context);
    const results = await play(policy, record);
    if (record > 0) mkdirSync(out, { recursive: true });
    for (const { log, index } of results) if (log) await writeRollout(join(out, `${index}.rollout`), log);
    const summary = report(policy, results, context);
    if (against === "") return context.result(summary);
    const others = await play(against, 0);
    const other = report(against, others, context);
    context.result({ ...summary, against: { ...other, paired: compare(results, others, context) } });
  },
});

function report(name: string, results: readonly RolloutResult[], { print }: Context) {
  const summary = summariseRollouts(results);
  const { success, perTask, unstable, reasons } = summary;
  print(`${name}: ${percent(success.rate)} [${percent(success.low)}, ${percent(success.high)}] of ${success.count}`);
  for (const [task, { rate, count }] of Object.entries(perTask)) print(`  ${task}: ${percent(rate)} of ${count}`);
  for (const { reason, count } of reasons.slice(0, 5)) print(`  failed ${count} times: ${reason}`);
  if (unstable > 0) print(`  left out ${unstable} episodes whose physics broke down`);
  return summary;
}

/** McNemar's exact test on the tasks in which physics held for both. */
function compare(first: readonly RolloutResult[], second: readonly RolloutResult[], { print }: Context) {
  const held = first.flatMap((result, index) => (result.unstable || second[index]!.unstable ? [] : [index]));
  const solved = (results: readonly RolloutResult[]) => held.map((index) => results[index]!.success);
  const paired = mcnemar(solved(first), solved(second));
  print(
    `only the first: ${paired.onlyFirst}, only the second: ${paired.onlySecond} (McNemar p ${paired.pValue.toPrecision(2)})`,
  );
  return paired;
}
