import { z } from "zod";
import { checkDataset } from "#datasets/check/check-dataset.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { defineCommand } from "../command.ts";
import { readFields, readOptions } from "./fields.ts";

export const check = defineCommand({
  summary: "finds what breaks training: times, videos unlike rows, NaN, outliers, wrong statistics, doubles",
  config: z.strictObject({
    path: z.string().describe("data set of any format; its root folder or file"),
    show: z.int().min(1).default(50).describe("findings that are printed at most"),
    ...readFields,
  }),
  positionals: ["path"],
  example: "datasets check data/demonstrations",
  async run({ path, show, ...fields }, { progress, signal, print, result }) {
    const reader = await openDataset(path, readOptions(fields));
    const line = progress("check", reader.info.episodes, "episodes");
    const { findings, episodes, frames } = await checkDataset(reader, {
      signal,
      onProgress: (done) => line.update(done),
    });
    await reader.close();
    line.finish();
    for (const { severity, check, episode, feature, message } of findings.slice(0, show)) {
      const place = [episode === undefined ? "" : `episode ${episode}`, feature ?? ""].filter((part) => part !== "");
      print(`${severity.padEnd(7)}  ${check}: ${place.length > 0 ? `${place.join(", ")}: ` : ""}${message}`);
    }
    if (findings.length > show) print(`and ${findings.length - show} more (--show ${findings.length})`);
    const errors = findings.filter(({ severity }) => severity === "error").length;
    const warnings = findings.length - errors;
    print(
      `${path}: ${reader.info.format}, ${episodes} episodes, ${frames} frames: ${errors} errors, ${warnings} warnings`,
    );
    result({ path, format: reader.info.format, episodes, frames, errors, warnings, findings });
    if (errors > 0) process.exitCode = 2;
  },
});
