/** @file What every data set format must do, whoever wrote it: one suite, run on each. */
import { describe, expect, it } from "@jest/globals";
import type { Episode, EpisodeFrame, EpisodeReader, EpisodeWriter, Feature } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";

export const contractCamera = "observation.images.front";

/** What every format is asked to hold: two episodes, the second recorded with a pause. */
export type Sample = {
  readonly features: Readonly<Record<string, Feature>>;
  readonly fps: number;
  readonly episodes: readonly { readonly task: string; readonly frames: readonly EpisodeFrame[] }[];
};

type Common = {
  readonly name: string;
  /** Grey levels that pictures may lose by compression. */
  readonly pictureTolerance: number;
};

/** A format that others write: `make` writes the sample as they do and opens it. */
export type ReadableFormat = Common & {
  make(sample: Sample): Promise<EpisodeReader>;
  /** What the format has no place for. Without times they are step / fps. */
  readonly lacks?: readonly ("numbers" | "times" | "tasks")[];
  /** Name of the camera, where the format gives it one. */
  readonly camera?: string;
};

export type DatasetFormat = Common & {
  /** Opens a new set at a place of its own for writing. */
  create(features: Readonly<Record<string, Feature>>, fps: number): Promise<EpisodeWriter>;
  /** Opens what `create` wrote last. */
  open(): Promise<EpisodeReader>;
};

const features: Readonly<Record<string, Feature>> = {
  "observation.state": { dtype: "float32", shape: [3], names: ["x", "y", "z"] },
  action: { dtype: "float32", shape: [2], names: ["dx", "dy"] },
  [contractCamera]: { dtype: "video", shape: [16, 24, 3], names: ["height", "width", "channels"] },
};
const fps = 8;
const times = [
  [0, 0.125, 0.25, 0.375],
  [0, 0.125, 0.75],
] as const;
const tasks = ["push the red block", "push the blue block to the left"];
const grey = (episode: number, frame: number) => 30 + episode * 100 + frame * 12;
const state = (episode: number, frame: number) => Float32Array.of(frame / 4, -1 - episode, 0.1);
const action = (episode: number, frame: number) => Float32Array.of(frame + episode, -0.5);

const frameOf = (episode: number, frame: number) => ({
  timestampS: times[episode]![frame]!,
  values: { "observation.state": state(episode, frame), action: action(episode, frame) },
  images: { [contractCamera]: { data: new Uint8Array(16 * 24 * 3).fill(grey(episode, frame)), height: 16, width: 24 } },
});

const sample: Sample = {
  features,
  fps,
  episodes: tasks.map((task, episode) => ({
    task,
    frames: times[episode]!.map((_, frame) => frameOf(episode, frame)),
  })),
};

async function write(format: DatasetFormat, { episodes }: Sample): Promise<EpisodeReader> {
  const writer = await format.create(features, fps);
  for (const { task, frames } of episodes) {
    await writer.startEpisode(task);
    for (const frame of frames) await writer.addFrame(frame);
    await writer.endEpisode();
  }
  await writer.finish();
  return format.open();
}

const floats = (column: Episode["columns"][string] | undefined) => Array.from(column as Float32Array, Number);

/** What every reader must do, whoever wrote the files. */
export function readerContract(format: ReadableFormat): void {
  const { lacks = [], camera = contractCamera } = format;
  const has = (what: "numbers" | "times" | "tasks") => !lacks.includes(what);
  describe(`${format.name}, as every data set that is read`, () => {
    it("gives back numbers, tasks and true times of every episode, in any order", async () => {
      const reader = await format.make(sample);
      expect(reader.info.episodes).toBe(2);
      expect(reader.info.fps).toBeCloseTo(fps, 6);
      for (const index of [1, 0]) {
        const episode = await reader.episode(index);
        expect([episode.index, episode.length]).toEqual([index, times[index]!.length]);
        if (has("tasks")) expect(episode.tasks).toEqual([tasks[index]]);
        const frames = times[index]!.map((_, frame) => frame);
        expect(episode.timestampsS).toBeAllClose(has("times") ? times[index]! : frames.map((frame) => frame / fps), {
          absolute: 1e-6,
          relative: 0,
        });
        if (!has("numbers")) continue;
        expect(floats(episode.columns["observation.state"])).toEqual(
          frames.flatMap((frame) => [...state(index, frame)]),
        );
        expect(floats(episode.columns.action)).toEqual(frames.flatMap((frame) => [...action(index, frame)]));
      }
      await reader.close();
    });

    it("gives back pictures, stored or as small squares", async () => {
      const reader = await format.make(sample);
      const read = async (size?: number) => {
        const seen: number[][] = [];
        for await (const { data, height, width } of reader.frames(1, camera, size))
          seen.push([height, width, data.length, data[100]!]);
        return seen;
      };
      for (const [size, expected] of [
        [undefined, [16, 24, 16 * 24 * 3]],
        [8, [8, 8, 8 * 8 * 3]],
      ] as const) {
        const seen = await read(size);
        expect(seen.map((frame) => frame.slice(0, 3))).toEqual(Array(3).fill(expected));
        expect(seen.map(([, , , level]) => level!)).toBeAllClose(
          [0, 1, 2].map((frame) => grey(1, frame)),
          {
            absolute: format.pictureTolerance,
            relative: 0,
          },
        );
      }
      await reader.close();
    });

    it("says its features, with the shapes that were written", async () => {
      const reader = await format.make(sample);
      if (has("numbers")) {
        expect(reader.info.features["observation.state"]!.shape).toEqual([3]);
        expect(reader.info.features.action!.shape).toEqual([2]);
      }
      expect(reader.info.features[camera]!.shape).toEqual([16, 24, 3]);
      await reader.close();
    });

    it("refuses an episode and a camera that it does not have, and stays usable", async () => {
      const reader = await format.make(sample);
      await expect(reader.episode(2)).rejects.toThrow(UserError);
      const drain = async () => {
        for await (const _ of reader.frames(0, "observation.images.none"));
      };
      await expect(drain()).rejects.toThrow(UserError);
      expect((await reader.episode(0)).length).toBe(4);
      await reader.close();
    });
  });
}

/** What every format must do that is both read and written. */
export function datasetContract(format: DatasetFormat): void {
  readerContract({ ...format, make: (episodes) => write(format, episodes) });
  describe(`${format.name}, as every data set that is written`, () => {
    it("refuses frames that do not fit, an empty episode and an empty set", async () => {
      const writer = await format.create(features, fps);
      await expect(writer.finish()).rejects.toThrow(UserError);
      await writer.startEpisode("task");
      await expect(writer.endEpisode()).rejects.toThrow(UserError);
      const good = frameOf(0, 0);
      await expect(writer.addFrame({ ...good, values: { action: good.values.action } })).rejects.toThrow(UserError);
      await expect(writer.addFrame({ ...good, images: {} })).rejects.toThrow(UserError);
      await writer.addFrame(good);
      await expect(writer.addFrame(good)).rejects.toThrow(UserError);
      await writer.endEpisode();
      await writer.finish();
      const reader = await format.open();
      expect((await reader.episode(0)).length).toBe(1);
      await reader.close();
    });
  });
}
