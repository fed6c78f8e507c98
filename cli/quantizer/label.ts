import { rm } from "node:fs/promises";
import { z } from "zod";
import { writeLatentLabels } from "#datasets/labels.ts";
import { describeShards, shardFolder } from "#datasets/shard-folder.ts";
import { requireShard } from "#datasets/shards.ts";
import { labelShard, labelVideos, mergeLabels, openQuantizer, videoDataConfig } from "#lapa/quantizer/index.ts";
import { type Context, defineCommand } from "../command.ts";
import { shardFields } from "../datasets/fields.ts";
import { engineConfig, openData, openEngine } from "../training.ts";

const config = z.strictObject({
  quantizer: z.string().describe("run or checkpoint of a quantizer"),
  data: videoDataConfig.prefault({}),
  out: z.string().default("data/labels.parquet").describe("file to write, .parquet"),
  engine: engineConfig.prefault({}),
  ...shardFields,
});

const sourceOf = ({ videos, datasets }: z.infer<typeof videoDataConfig>) => [...videos, ...datasets].join(", ");

type Labels = Parameters<typeof writeLatentLabels>[1];

function write(out: string, labels: Labels, context: Context): void {
  writeLatentLabels(out, labels);
  context.print(`${out}: ${labels.episodes.length} pairs, ${labels.codesPerStep} codes of ${labels.codebookSize} each`);
  context.result({ out, pairs: labels.episodes.length });
}

export const labelCommand = defineCommand({
  summary: "names the latent action of every pair of frames",
  config,
  positionals: ["quantizer"],
  example: "quantizer label runs/quantizer --data.videos data/videos --out data/labels.parquet",
  async run({ shard, of, ...settings }, context) {
    requireShard({ shard, of });
    const { data: where, out, engine } = settings;
    const quantizer = await openQuantizer(settings.quantizer);
    if (of > 1) {
      const folder = await describeShards(out, { command: "label", config: settings });
      const executor = await openEngine(engine, context);
      let line: ReturnType<Context["progress"]> | undefined;
      const onProgress = (done: number, total: number) => {
        line ??= context.progress("label", total, "clips");
        line.update(done);
      };
      try {
        await labelShard(folder, quantizer, where, { executor, shard, of, signal: context.signal, onProgress });
      } finally {
        await executor.dispose();
      }
      line?.finish(folder);
      context.print(`${folder}: shard ${shard} of ${of} is done. When all are: npx armature datasets merge ${out}`);
      context.result({ out, shard, of });
      return;
    }
    const data = await openData(where, quantizer.config.model.imageSize, context);
    const executor = await openEngine(engine, context);
    const labels = await labelVideos(quantizer, data, { executor, source: sourceOf(where), signal: context.signal });
    await executor.dispose();
    data.close();
    write(out, labels, context);
  },
});

/** Joins the shards of labels; they are removed when the file is there. */
export async function mergeLabel(raw: Record<string, unknown>, context: Context): Promise<void> {
  const { quantizer: path, data: where, out } = config.parse(raw);
  const folder = shardFolder(out);
  const { labels, problems } = await mergeLabels(folder, await openQuantizer(path), where, sourceOf(where));
  for (const { message } of problems) context.log.warn(`left out: ${message}`);
  write(out, labels, context);
  await rm(folder, { recursive: true, force: true });
}
