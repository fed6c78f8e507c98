/**
 * @file For LAPA: pictures of 256 pixels in a folder; with labels the lines of latent pretraining, without them the
 * list that its data/finetune_preprocess.py turns into bins. The ids of LWM's VQGAN are LAPA's own step.
 */
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Episode, EpisodeReader } from "#core/contracts/episode.ts";
import { ConfigError, FormatError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import type { ConvertOptions } from "../convert-dataset.ts";
import { episodeIndices } from "../episode-indices.ts";
import { readLatentLabels } from "../labels.ts";
import { writeLapaJsonl } from "../lapa/labels-jsonl.ts";
import type { Exported } from "./exported.ts";
import { findRoles } from "./roles.ts";

/** What LWM's VQGAN takes. */
const side = 256;
const actionDims = 7;

const episodeName = (episode: number) => `episode_${String(episode).padStart(6, "0")}`;
const imageOf = (episode: number, frame: number) =>
  `images/${episodeName(episode)}/${String(frame).padStart(6, "0")}.png`;

type Options = Pick<ConvertOptions, "onProgress" | "signal"> & {
  /** Latent labels (.parquet) of this set's camera. */
  readonly labels?: string;
};

/** @throws ConfigError for actions that LAPA cannot read; FormatError for labels of another set */
export async function exportLapa(reader: EpisodeReader, path: string, options: Options): Promise<Exported> {
  const roles = findRoles(reader);
  const camera = roles.scene ?? roles.cameras[0]!;
  const indices = episodeIndices(reader);
  const dims = reader.info.features[roles.action]!.shape.reduce((product, size) => product * size, 1);
  if (options.labels === undefined && dims !== actionDims)
    throw new ConfigError(
      `${reader.info.path}: LAPA reads actions of ${actionDims} numbers (x, y, z, roll, pitch, yaw, gripper), this set has ${dims}. Give --labels for latent pretraining, or convert the actions.`,
    );
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels, indices.length);
  await mkdir(path, { recursive: true });
  const tasks: string[] = [];
  const episodes: Episode[] = [];
  for (const [at, index] of indices.entries()) {
    options.signal?.throwIfAborted();
    await mkdir(join(path, "images", episodeName(at)), { recursive: true });
    let frame = 0;
    for await (const image of reader.frames(index, camera, side))
      await writeFile(join(path, imageOf(at, frame++)), encodePng(image));
    const episode = await reader.episode(index);
    tasks.push(episode.tasks.join("; "));
    if (labels === undefined) episodes.push(episode);
    options.onProgress?.(at + 1, indices.length);
  }
  const file = labels === undefined ? "finetune.json" : "latent.jsonl";
  if (labels === undefined) {
    const rows = Readable.from(finetuneRows(episodes, tasks, roles.action));
    await pipeline(rows, createWriteStream(join(path, file)));
  } else {
    await writeLapaJsonl(join(path, file), labels, {
      name: episodeName,
      instruction: (episode) => tasks[episode]!,
      image: imageOf,
    });
  }
  const notes = ["LAPA adds `vision`, 256 ids of LWM's VQGAN a picture, before it trains"];
  return { episodes: indices.length, files: [file, "images"], notes };
}

async function readLabels(path: string, episodes: number) {
  const labels = await readLatentLabels(path);
  const last = labels.episodes.reduce((most, episode) => Math.max(most, episode), 0);
  if (last < episodes) return labels;
  throw new FormatError(
    path,
    `must label this data set of ${episodes} episodes, but names number ${last}. Label it again.`,
  );
}

/** One JSON array, an element at a time. */
function* finetuneRows(episodes: readonly Episode[], tasks: readonly string[], action: string): Generator<string> {
  let first = true;
  for (const [at, { columns, length }] of episodes.entries()) {
    const values = columns[action] as Float32Array;
    for (let frame = 0; frame < length; frame++) {
      const question = `<image>\nWhat action should the robot take to \`${tasks[at]!.toLowerCase()}\``;
      const answer = Array.from(values.subarray(frame * actionDims, (frame + 1) * actionDims), String);
      const row = {
        id: `${episodeName(at)}_${frame}`,
        image: imageOf(at, frame),
        conversations: [
          { from: "human", value: question },
          { from: "gpt", raw_actions: answer },
        ],
      };
      yield `${first ? "[\n" : ",\n"}${JSON.stringify(row)}`;
      first = false;
    }
  }
  yield "\n]\n";
}
