import { bridgeRecordConfig, recordFrom } from "#robot-bridge/index.ts";
import { defineCommand } from "../command.ts";

export const bridgeRecord = defineCommand({
  summary: "records what a robot and its commander say, as MCAP",
  config: bridgeRecordConfig,
  positionals: ["file"],
  example: "bridge record run.mcap --robot ws://127.0.0.1:9090",
  async run(config, { log, signal, print, result }) {
    log.info("recording; Ctrl-C ends it");
    const summary = await recordFrom(config, { log: log.info, signal });
    print(`${config.file}: ${JSON.stringify(summary)}`);
    result(summary);
  },
});
