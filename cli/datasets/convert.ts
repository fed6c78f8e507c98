import { rm } from "node:fs/promises";
import { z } from "zod";
import { type ConvertOptions, convertDataset, writableFormats } from "#datasets/convert-dataset.ts";
import { type ConvertJob, convertShard, mergeConverted } from "#datasets/convert-job.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { describeShards, shardFolder } from "#datasets/shard-folder.ts";
import { requireShard } from "#datasets/shards.ts";
import { type Context, defineCommand } from "../command.ts";
import { readFields, readOptions, shardFields } from "./fields.ts";

const config = z.strictObject({
  from: z.string().describe("data set of any format; its root folder or file"),
  out: z.string().describe("folder to write (robomimic: an .hdf5 file); must not be there yet"),
  to: z.enum(writableFormats).default("lerobot-v3.0").describe("format to write"),
  leaveOut: z.array(z.string()).default([]).describe("features to leave out"),
  pictures: z.enum(["video", "image"]).default("video").describe("how LeRobot keeps pictures: video, or png by png"),
  rename: z.record(z.string(), z.string()).default({}).describe('new names of features: {"qpos": "observation.state"}'),
  leaveOutBroken: z.boolean().default(false).describe("name episodes that cannot be read and go on; else stop"),
  ...readFields,
  workers: z.int().min(1).default(1).describe("episodes under way at once, when there are shards"),
  ...shardFields,
});
type Settings = Omit<z.infer<typeof config>, "shard" | "of" | "workers">;

const jobOf = ({ to, leaveOut, rename, pictures, leaveOutBroken }: Settings): ConvertJob => {
  return { to, leaveOut, rename, pictures, leaveOutBroken };
};

export const convert = defineCommand({
  summary: "writes a data set of any format as LeRobot, RLDS, robomimic or MCAP",
  config,
  positionals: ["from", "out"],
  example: "datasets convert data/bridge/1.0.0 data/bridge-lerobot --to lerobot-v3.0",
  async run({ shard, of, workers, ...settings }, context) {
    const { from, out, leaveOutBroken } = settings;
    const { signal } = context;
    requireShard({ shard, of });
    const reader = await openDataset(from, readOptions(settings));
    const line = context.progress("convert", Math.ceil((reader.info.episodes - shard) / of), "episodes");
    const onProgress = (done: number) => line.update(done);
    try {
      if (of > 1) {
        const folder = await describeShards(out, { command: "convert", config: settings });
        await convertShard(folder, reader, jobOf(settings), { shard, of }, { workers, signal, onProgress });
        line.finish(folder);
        context.print(`${folder}: shard ${shard} of ${of} is done. When all are: npx armature datasets merge ${out}`);
        context.result({ out, shard, of });
        return;
      }
      const problems: Problem[] = [];
      const listen: Pick<ConvertOptions, "onProblem"> = leaveOutBroken ? { onProblem: (it) => problems.push(it) } : {};
      const episodes = await convertDataset(reader, out, { ...jobOf(settings), signal, onProgress, ...listen });
      line.finish(out);
      report(context, out, episodes, problems);
    } finally {
      await reader.close();
    }
  },
});

type Problem = { readonly episode: number; readonly message: string };

function report({ log, print, result }: Context, out: string, episodes: number, problems: readonly Problem[]): void {
  for (const { episode, message } of problems) log.warn(`left out episode ${episode}: ${message}`);
  print(`${out}: ${episodes} episodes${problems.length > 0 ? `, ${problems.length} left out` : ""}`);
  result({ out, episodes, problems });
}

/** Joins the shards of a conversion; they are removed when the whole set is there. */
export async function mergeConvert(raw: Record<string, unknown>, context: Context): Promise<void> {
  const settings = config.parse(raw);
  const reader = await openDataset(settings.from, readOptions(settings));
  const line = context.progress("merge", reader.info.episodes, "episodes");
  const { signal } = context;
  const onProgress = (done: number) => line.update(done);
  try {
    const folder = shardFolder(settings.out);
    const merged = await mergeConverted(folder, reader, settings.out, jobOf(settings), { signal, onProgress });
    await rm(folder, { recursive: true, force: true });
    line.finish(settings.out);
    report(context, settings.out, merged.episodes, merged.problems);
  } finally {
    await reader.close();
  }
}
