import { z } from "zod";
import { bridgeRunConfig, type LoopStatus, openExpert, runBridgeFrom } from "#robot-bridge/index.ts";
import { type Context, defineCommand } from "../command.ts";
import { type OpenedPolicy, openPolicy } from "../policy.ts";
import { engineConfig } from "../training.ts";

const config = bridgeRunConfig.extend({
  policy: z
    .string()
    .describe('run or checkpoint of a policy, address of a policy server, or "expert" (simulated arm only)'),
  engine: engineConfig.prefault({}),
});

async function openAny({ policy, engine, ...rest }: z.infer<typeof config>, context: Context): Promise<OpenedPolicy> {
  if (policy !== "expert") return openPolicy(policy, engine, context);
  const expert = await openExpert(rest, { log: context.log.info });
  return { policy: expert, close: async () => expert.close() };
}

export const bridgeRun = defineCommand({
  summary: "drives a robot with a policy; a dead link or a late policy means hold",
  config,
  example: "bridge run --policy runs/policy --robot ws://127.0.0.1:9090",
  async run({ policy: where, engine, ...rest }, context) {
    const { policy, close } = await openAny({ policy: where, engine, ...rest }, context);
    const progress = context.progress("bridge", rest.durationS, "s");
    const onStatus = (status: LoopStatus) => progress.update(status.seconds, statusFields(status));
    try {
      const summary = await runBridgeFrom(rest, policy, { signal: context.signal, log: context.log.info, onStatus });
      context.print(`ended: ${summary.ended}. ${summary.detail}`);
      context.result(summary);
      if (!["task", "time", "stopped"].includes(summary.ended)) process.exitCode = 2;
    } finally {
      await close();
    }
  },
});

const statusFields = ({ mode, state, summary }: LoopStatus) => ({
  mode: mode.name,
  state,
  sent: summary.commands.sent,
});
