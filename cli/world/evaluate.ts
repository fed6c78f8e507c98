import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { createPolicy, openPolicyModel } from "#lapa/finetune/index.ts";
import { drawInstances, evaluatePolicy, pushPresets, splits, summariseRollouts, writeRollout } from "#world/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openEngine } from "../training.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export const evaluateCommand = defineCommand({
  summary: "plays a policy in simulation and counts what it solves",
  config: z.strictObject({
    policy: z.string().describe("run or checkpoint of a fine-tuned policy"),
    suite: z.enum(["demo", "small", "language-table", "language-table-8"]).default("demo").describe("push tasks"),
    split: z.enum(splits).default("seen").describe("which tasks"),
    embodiment: z.enum(["arm", "pusher"]).default("arm").describe("whose body"),
    rollouts: z.number().int().positive().default(100).describe("episodes; the same for every policy of a seed"),
    executeSteps: z.number().int().min(0).default(0).describe("actions of a chunk that are executed; 0: all"),
    seed: z.number().int().min(0).default(1000).describe("seed of the tasks"),
    record: z.number().int().min(0).default(0).describe("rollouts to write, for the viewer"),
    out: z.string().default("runs/rollouts").describe("folder of written rollouts"),
    engine: engineConfig.prefault({}),
  }),
  positionals: ["policy"],
  example: "world evaluate runs/policy --rollouts 200 --record 10",
  async run({ policy: path, suite, split, embodiment, rollouts, executeSteps, seed, record, out, engine }, context) {
    const model = await openPolicyModel(path);
    const executor = await openEngine(engine, context);
    const progress = context.progress("evaluate", rollouts, "rollouts");
    const instances = drawInstances({ suite: pushPresets[suite], embodiment, split, seed, count: rollouts });
    const results = await evaluatePolicy({
      instances,
      policy: createPolicy(model, executor),
      ...(executeSteps > 0 ? { executeSteps } : {}),
      record: (index) => index < record,
      onProgress: (done) => progress.update(done),
      signal: context.signal,
    });
    await executor.dispose();
    progress.finish();
    mkdirSync(out, { recursive: true });
    for (const { log, index } of results) if (log) await writeRollout(join(out, `${index}.rollout`), log);
    const { success, perTask, unstable, reasons } = summariseRollouts(results);
    context.print(
      `success ${percent(success.rate)} [${percent(success.low)}, ${percent(success.high)}] of ${success.count}`,
    );
    for (const [task, { rate, count }] of Object.entries(perTask))
      context.print(`  ${task}: ${percent(rate)} of ${count}`);
    for (const { reason, count } of reasons.slice(0, 5)) context.print(`  failed ${count} times: ${reason}`);
    context.result({ success, perTask, unstable, reasons });
  },
});
