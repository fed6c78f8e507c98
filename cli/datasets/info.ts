import { z } from "zod";
import { describeDataset } from "#datasets/describe-dataset.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { defineCommand } from "../command.ts";
import { readFields, readOptions } from "./fields.ts";

export const info = defineCommand({
  summary: "says what a data set holds: format, rate, features, tasks, length",
  config: z.strictObject({
    path: z.string().describe("data set of any format; its root folder or file"),
    ...readFields,
  }),
  positionals: ["path"],
  example: "datasets info data/demonstrations",
  async run({ path, ...fields }, { print, result, progress, signal }) {
    const reader = await openDataset(path, readOptions(fields));
    const line = progress("info", reader.info.episodes, "episodes");
    const facts = await describeDataset(reader, { signal, onProgress: (done) => line.update(done) });
    await reader.close();
    line.finish();
    const { format, robotType, episodes, frames, fps, durationS, features, tasks, unreadable } = facts;
    print(`${path}: ${format}, robot ${robotType}`);
    print(`${episodes} episodes, ${frames} frames, ${(durationS / 60).toFixed(1)} minutes at ${fps} frames a second`);
    for (const [name, { dtype, shape, names }] of Object.entries(features))
      print(`  ${name}  ${dtype}[${shape.join(", ")}]${names ? `  ${names.join(" ")}` : ""}`);
    for (const { task, episodes: count } of tasks.slice(0, 20)) print(`  ${String(count).padStart(5)} x "${task}"`);
    if (tasks.length > 20) print(`  and ${tasks.length - 20} more tasks`);
    if (unreadable.length > 0) print(`${unreadable.length} episodes cannot be read; see: datasets check ${path}`);
    result(facts);
  },
});
