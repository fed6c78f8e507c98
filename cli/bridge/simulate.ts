import { bridgeSimulateConfig, simulateArmFrom } from "#robot-bridge/index.ts";
import { defineCommand } from "../command.ts";

export const bridgeSimulate = defineCommand({
  summary: "a simulated arm that speaks rosbridge, in real time",
  config: bridgeSimulateConfig,
  example: "bridge simulate --port 9090",
  async run(config, { log, signal, print, result }) {
    const arm = await simulateArmFrom(config, { log: log.info, signal });
    print(`${arm.url}: a simulated arm is listening; Ctrl-C ends it`);
    await arm.done;
    const status = arm.status();
    print(`commands: ${JSON.stringify(status.commands)}`);
    result(status);
  },
});
