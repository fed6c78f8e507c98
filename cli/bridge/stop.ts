import { bridgeStopConfig, stopRobot } from "#robot-bridge/index.ts";
import { defineCommand } from "../command.ts";

export const bridgeStop = defineCommand({
  summary: "presses the e-stop of a robot's bridge, or releases it",
  config: bridgeStopConfig,
  example: "bridge stop --robot ws://127.0.0.1:9090",
  async run(config, { print, result }) {
    const { confirmedMs } = await stopRobot(config);
    print(`e-stop ${config.release ? "released" : "pressed"}, confirmed after ${Math.round(confirmedMs)} ms`);
    result({ confirmedMs });
  },
});
