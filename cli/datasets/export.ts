import { z } from "zod";
import { exportDataset, exportTargets } from "#datasets/export/export-dataset.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { defineCommand } from "../command.ts";
import { readFields, readOptions } from "./fields.ts";

export const exportCommand = defineCommand({
  summary: "writes a data set as the training code of openpi, OpenVLA, GR00T or LAPA reads it, with its configuration",
  config: z.strictObject({
    from: z.string().describe("data set of any format; its root folder or file"),
    out: z.string().describe("folder to write; must not be there yet. Its name becomes the set's name"),
    for: z.enum(exportTargets).describe("whose training code will read it"),
    labels: z.string().default("").describe("latent labels (.parquet), for LAPA's latent pretraining"),
    ...readFields,
  }),
  positionals: ["from", "out"],
  example: "datasets export data/demonstrations data/for-gr00t --for gr00t",
  async run({ from, out, for: target, labels, ...fields }, { print, result, log, progress, signal }) {
    const reader = await openDataset(from, readOptions(fields));
    const line = progress("export", reader.info.episodes, "episodes");
    try {
      const onProgress = (done: number) => line.update(done);
      const options = { target, signal, onProgress, ...(labels === "" ? {} : { labels }) };
      const { episodes, files, notes } = await exportDataset(reader, out, options);
      line.finish(out);
      print(`${out}: ${episodes} episodes for ${target}, with ${files.join(", ")}`);
      for (const note of notes) log.info(note);
      result({ out, episodes, files, notes });
    } finally {
      await reader.close();
    }
  },
});
