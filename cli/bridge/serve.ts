import { z } from "zod";
import { bridgeServeConfig, servePolicy } from "#robot-bridge/index.ts";
import { defineCommand } from "../command.ts";
import { openPolicy } from "../policy.ts";
import { engineConfig } from "../training.ts";

export const bridgeServe = defineCommand({
  summary: "serves a policy to clients of openpi or OpenVLA",
  config: bridgeServeConfig.extend({
    policy: z.string().describe("run or checkpoint of a policy"),
    engine: engineConfig.prefault({}),
  }),
  example: "bridge serve --policy runs/policy --dialect openpi --port 8000",
  async run({ policy: where, engine, token, ...rest }, context) {
    const { policy, close } = await openPolicy(where, engine, context);
    try {
      const access = token === "" ? {} : { token };
      const server = await servePolicy({ policy, ...rest, ...access, log: context.log.info });
      context.print(`${server.url}: serving ${policy.spec.policyId}; Ctrl-C ends it`);
      await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve(), { once: true }));
      await server.close();
    } finally {
      await close();
    }
  },
});
