/** @file Label-free video as a folder that anyone could have filmed, and its hidden truth in another folder. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import { createVideoWriter } from "#datasets/video/encode.ts";
import type { SimulatedEpisode } from "../episode.ts";

/** What truly happened in one video; for probes alone. */
export type VideoTruth = {
  /** [x, y] of the tip per frame, metres. */
  readonly tip: readonly (readonly number[])[];
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

function truthOf({ truth: { tip }, length, instance }: SimulatedEpisode): VideoTruth {
  const width = tip.length / length;
  const rows = Array.from({ length }, (_, frame) => [...tip.subarray(frame * width, (frame + 1) * width)]);
  return { tip: rows, task: instance.task, instanceHash: instance.hash };
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

/**
 * Writes every episode as an mp4 with its instruction as caption. Both folders appear when all is written.
 *
 * @returns number of videos and frames
 */
export async function writeSimulatedVideos(
  episodes: AsyncIterable<SimulatedEpisode>,
  { directory, truthDirectory, signal }: WriteVideosOptions,
): Promise<{ videos: number; frames: number }> {
  const videos = await temporaryFolder(directory);
  const truth = await temporaryFolder(truthDirectory);
  const captions: string[] = [];
  let frames = 0;
  try {
    for await (const episode of episodes) {
      const name = fileName(episode.index);
      await writeVideo(join(videos.path, `${name}.mp4`), episode, signal);
      await writeFile(join(truth.path, `${name}.json`), JSON.stringify(truthOf(episode)));
      captions.push(JSON.stringify({ file: `${name}.mp4`, caption: episode.instance.instruction }));
      frames += episode.length;
    }
    await writeFile(join(videos.path, "captions.jsonl"), `${captions.join("\n")}\n`);
    await truth.publish();
    await videos.publish();
    return { videos: captions.length, frames };
  } catch (error) {
    await rm(videos.path, { recursive: true, force: true });
    await rm(truth.path, { recursive: true, force: true });
    throw writeFailure(directory, error);
  }
}
