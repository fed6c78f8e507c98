import { z } from "zod";
import { exportPolicy, openPolicyModel } from "#lapa/finetune/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openEngine } from "../training.ts";

export const exportPolicyCommand = defineCommand({
  summary: "writes a policy as one ONNX file with statistics and model card, checked against the engine",
  config: z.strictObject({
    policy: z.string().default("runs/policy").describe("run or checkpoint of a policy"),
    out: z.string().default("policy-onnx").describe("folder that is made"),
    checks: z.number().int().positive().default(8).describe("drawn observations on which file and engine are compared"),
    engine: engineConfig.prefault({}),
  }),
  positionals: ["policy"],
  example: "finetune export runs/policy --out policy-onnx",
  async run({ policy, out, checks, engine }, context) {
    const model = await openPolicyModel(policy);
    const executor = await openEngine(engine, context);
    try {
      const exported = await exportPolicy(model, { folder: out, executor, checks });
      const size = `${(exported.bytes / 1e6).toFixed(1)} MB`;
      const difference = exported.largestDifference.toExponential(1);
      context.print(
        `${out}: policy.onnx (${size}), statistics.json, README.md; differs from the engine by ${difference}`,
      );
      context.result(exported);
    } finally {
      await executor.dispose();
    }
  },
});
