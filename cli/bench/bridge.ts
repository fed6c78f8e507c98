import { z } from "zod";
import { benchmarkBridge } from "#benchmarks/bridge/bridge.ts";
import { writeResult } from "#core/results.ts";
import { splits } from "#world/index.ts";
import { defineCommand } from "../command.ts";
import { openPolicy } from "../policy.ts";
import { engineConfig } from "../training.ts";

export const benchBridge = defineCommand({
  summary:
    "a policy drives the simulated arm through rosbridge, with the link cut in the middle of every second episode",
  config: z.strictObject({
    policy: z
      .string()
      .default("runs/demo/policy-lapa")
      .describe("run or checkpoint of a policy, or a server's address"),
    episodes: z.number().int().positive().default(20).describe("tasks, one after another in real time"),
    seed: z.number().int().min(0).default(0).describe("first task"),
    split: z.enum(splits).default("seen").describe("split of the suite that tasks are drawn from"),
    ttlMs: z.number().positive().default(100).describe("how long a command may still be executed, ms"),
    engine: engineConfig.prefault({}),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench bridge --policy runs/demo/policy-lapa",
  async run({ policy: where, engine, out, ...config }, context) {
    const { policy, close } = await openPolicy(where, engine, context);
    const progress = context.progress("bridge", config.episodes, "episodes");
    const { log, signal, commandLine: command } = context;
    try {
      const measured = await benchmarkBridge({
        ...{ ...config, policy, signal, command, log: log.info },
        onProgress: (done) => (done === config.episodes ? progress.finish() : progress.update(done)),
      });
      if (out !== "") context.print(`written: ${writeResult(out, measured)}`);
      context.result(measured);
    } finally {
      await close();
    }
  },
});
