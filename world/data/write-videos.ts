/** @file Label-free video as a folder that anyone could have filmed, and its hidden truth in another folder. */
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import { createVideoWriter } from "#datasets/video/encode.ts";
import type { SimulatedEpisode } from "../episode.ts";
import { findEmbodiment } from "../suites/index.ts";

/** What truly happened in one video; for probes alone. */
export type VideoTruth = {
  /** [x, y] of the tip per frame, metres. */
  readonly tip: readonly (readonly number[])[];
  /** Actions as sent, [T][A], and everything that is logged, [T][X]; named. */
  readonly actionNames: readonly string[];
  readonly actions: readonly (readonly number[])[];
  readonly stateNames: readonly string[];
  readonly states: readonly (readonly number[])[];
  readonly task: string;
  readonly instanceHash: string;
};

export type WriteVideosOptions = {
  /** Folder of the videos and `captions.jsonl`; must not be there. */
  readonly directory: string;
  /** Folder of one JSON file per video; must not be there. */
  readonly truthDirectory: string;
  readonly signal?: AbortSignal;
};

const fileName = (index: number) => `video_${String(index).padStart(6, "0")}`;

async function writeVideo(path: string, episode: SimulatedEpisode, signal?: AbortSignal): Promise<void> {
  const { size, rateHz, frames, length } = episode;
  const video = await createVideoWriter(path, {
    width: size,
    height: size,
    fps: rateHz,
    ...(signal ? { signal } : {}),
  });
  try {
    const pixels = size * size * 3;
    for (let frame = 0; frame < length; frame++)
      await video.write(frames.subarray(frame * pixels, (frame + 1) * pixels));
    await video.close();
  } catch (error) {
    await video.abort();
    throw error;
  }
}

function truthOf({ truth, length, instance }: SimulatedEpisode): VideoTruth {
  const rows = (values: Float32Array) => {
    const width = values.length / length;
    return Array.from({ length }, (_, frame) => [...values.subarray(frame * width, (frame + 1) * width)]);
  };
  const { log } = truth;
  return {
    ...{ tip: rows(truth.tip), actions: rows(truth.actions) },
    actionNames: findEmbodiment(instance.embodiment, instance.suite).space.names,
    ...{ stateNames: log.names, states: log.rows.map((row) => [...row]) },
    ...{ task: instance.task, instanceHash: instance.hash },
  };
}

const captionOf = (name: string, episode: SimulatedEpisode) =>
  JSON.stringify({ file: `${name}.mp4`, caption: episode.instance.instruction });

/** One episode by itself: what `joinVideos` makes a folder of. */
export async function writeVideoPart(path: string, episode: SimulatedEpisode, signal?: AbortSignal): Promise<void> {
  await mkdir(path);
  await writeVideo(join(path, "video.mp4"), episode, signal);
  await writeFile(join(path, "truth.json"), JSON.stringify(truthOf(episode)));
  await writeFile(join(path, "caption.json"), captionOf(fileName(episode.index), episode));
}

/** The same two folders as `writeSimulatedVideos` makes, of its parts in order. @returns number of videos */
export async function joinVideos(parts: readonly string[], options: WriteVideosOptions): Promise<number> {
  await publishVideos(options, async (videos, truth) => {
    const captions: string[] = [];
    for (const [index, part] of parts.entries()) {
      options.signal?.throwIfAborted();
      await copyFile(join(part, "video.mp4"), join(videos, `${fileName(index)}.mp4`));
      await copyFile(join(part, "truth.json"), join(truth, `${fileName(index)}.json`));
      captions.push(await readFile(join(part, "caption.json"), "utf8"));
    }
    return captions;
  });
  return parts.length;
}

/** Makes a folder under a temporary name that `publish` renames. @throws UserError when it is there already */
async function temporaryFolder(path: string): Promise<{ readonly path: string; publish(): Promise<void> }> {
  const temporary = `${path}.partial`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true }).catch((cause) => {
    throw writeFailure(path, cause);
  });
  return {
    path: temporary,
    async publish() {
      await rename(temporary, path).catch((cause) => {
        if (cause.code === "ENOTEMPTY" || cause.code === "EEXIST") {
          throw new UserError(`${path}: must not be there yet, but is. Remove it or choose another folder.`, { cause });
        }
        throw writeFailure(path, cause);
      });
    },
  };
}

/** Fills the two folders by `fill`, which gives the captions; both appear when all is written. */
async function publishVideos(
  { directory, truthDirectory }: WriteVideosOptions,
  fill: (videos: string, truth: string) => Promise<readonly string[]>,
): Promise<void> {
  const videos = await temporaryFolder(directory);
  const truth = await temporaryFolder(truthDirectory);
  try {
    const captions = await fill(videos.path, truth.path);
    await writeFile(join(videos.path, "captions.jsonl"), `${captions.join("\n")}\n`);
    await truth.publish();
    await videos.publish();
  } catch (error) {
    await rm(videos.path, { recursive: true, force: true });
    await rm(truth.path, { recursive: true, force: true });
    throw writeFailure(directory, error);
  }
}

/**
 * Writes every episode as an mp4 with its instruction as caption. Both folders appear when all is written.
 *
 * @returns number of videos and frames
 */
export async function writeSimulatedVideos(
  episodes: AsyncIterable<SimulatedEpisode>,
  options: WriteVideosOptions,
): Promise<{ videos: number; frames: number }> {
  const written = { videos: 0, frames: 0 };
  await publishVideos(options, async (videos, truth) => {
    const captions: string[] = [];
    for await (const episode of episodes) {
      const name = fileName(episode.index);
      await writeVideo(join(videos, `${name}.mp4`), episode, options.signal);
      await writeFile(join(truth, `${name}.json`), JSON.stringify(truthOf(episode)));
      captions.push(captionOf(name, episode));
      written.videos += 1;
      written.frames += episode.length;
    }
    return captions;
  });
  return written;
}
