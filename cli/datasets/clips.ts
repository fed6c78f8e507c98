import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { ConfigError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { writeWhole } from "#core/write-whole.ts";
import { measureClips, selectMeasured } from "#datasets/clips/clip-job.ts";
import { clipListName, writeClipList } from "#datasets/clips/clip-list.ts";
import { clipsConfig } from "#datasets/clips/config.ts";
import { contactSheet } from "#datasets/clips/contact-sheet.ts";
import { describeShards, shardFolder } from "#datasets/shard-folder.ts";
import { requireShard } from "#datasets/shards.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";
import { type Context, defineCommand } from "../command.ts";
import { shardFields } from "./fields.ts";

const config = z.strictObject({
  videos: z.string().describe("folder of videos"),
  out: z.string().default("data/clips").describe("folder to write; give it to trainings as a folder of videos"),
  select: clipsConfig.prefault({}),
  sheet: z.boolean().default(true).describe("draw sheet.png, frames of what was kept and dropped"),
  workers: z.int().min(1).default(2).describe("videos under way at once"),
  ...shardFields,
});

export const clips = defineCommand({
  summary: "cuts videos into scenes and leaves out what teaches nothing, with the reason",
  config,
  positionals: ["videos", "out"],
  example: "datasets clips data/videos data/clips --select.minimumS 2",
  async run({ shard, of, workers, ...settings }, context) {
    const { videos, out, select } = settings;
    if (resolve(videos) === resolve(out)) throw new ConfigError("--out: must be another folder than the videos'.");
    requireShard({ shard, of });
    const sources = await listVideoFolder(videos);
    if (sources.some(({ startS }) => startS !== undefined)) {
      throw new ConfigError(
        `${videos}: must be a folder of whole videos, but is a list of clips. Give the videos' own folder.`,
      );
    }
    const folder = await describeShards(out, { command: "clips", config: settings });
    const line = context.progress("clips", Math.ceil((sources.length - shard) / of), "videos");
    const { signal } = context;
    const onProgress = (done: number) => line.update(done);
    await measureClips(folder, sources, select, { shard, of }, { workers, signal, onProgress });
    line.finish(folder);
    if (of === 1) return mergeClips(settings, context);
    context.print(`${folder}: shard ${shard} of ${of} is done. When all are: npx armature datasets merge ${out}`);
    context.result({ out, shard, of });
  },
});

/** Judges what was measured and writes the lists and the sheet. */
export async function mergeClips(raw: Record<string, unknown>, context: Context): Promise<void> {
  const { videos, out, select, sheet } = config.parse(raw);
  const selection = await selectMeasured(shardFolder(out), await listVideoFolder(videos), select);
  const { dropped } = selection;
  const reasons = new Map<string, number>();
  for (const { name, reason, detail } of dropped) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    context.print(`dropped  ${name}: ${reason}, ${detail}`);
  }
  await mkdir(out, { recursive: true });
  writeClipList(join(out, clipListName), selection.clips);
  writeWhole(join(out, "dropped.jsonl"), dropped.map((clip) => `${JSON.stringify(clip)}\n`).join(""));
  if (sheet) writeWhole(join(out, "sheet.png"), encodePng(await contactSheet(selection, context.signal)));
  const counts = [...reasons].map(([reason, count]) => `${count} ${reason}`).join(", ");
  const kept = selection.clips.length;
  context.print(
    `${join(out, clipListName)}: ${kept} clips kept, ${dropped.length} dropped${counts ? ` (${counts})` : ""}`,
  );
  context.result({ out, kept, dropped: dropped.length, reasons: Object.fromEntries(reasons) });
}
