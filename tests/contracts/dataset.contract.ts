/** @file What every data set format must do, whoever wrote it: one suite, run on each. */
import { describe, expect, it } from "@jest/globals";
import type { Episode, EpisodeReader, EpisodeWriter, Feature } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";

export type DatasetFormat = {
  readonly name: string;
  /** Opens a new set at a place of its own for writing. */
  create(features: Readonly<Record<string, Feature>>, fps: number): Promise<EpisodeWriter>;
  /** Opens what `create` wrote last. */
  open(): Promise<EpisodeReader>;
  /** Grey levels that pictures may lose by compression. */
  readonly pictureTolerance: number;
};

export const contractCamera = "observation.images.front";
const features: Readonly<Record<string, Feature>> = {
  "observation.state": { dtype: "float32", shape: [3], names: ["x", "y", "z"] },
  action: { dtype: "float32", shape: [2], names: ["dx", "dy"] },
  [contractCamera]: { dtype: "video", shape: [16, 24, 3], names: ["height", "width", "channels"] },
};
const fps = 8;
/** The second episode was recorded with a pause. */
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

async function write(format: DatasetFormat): Promise<EpisodeReader> {
  const writer = await format.create(features, fps);
  for (const [episode, task] of tasks.entries()) {
    await writer.startEpisode(task);
    for (let frame = 0; frame < times[episode]!.length; frame++) await writer.addFrame(frameOf(episode, frame));
    await writer.endEpisode();
  }
  await writer.finish();
  return format.open();
}

const floats = (column: Episode["columns"][string] | undefined) => Array.from(column as Float32Array, Number);

export function datasetContract(format: DatasetFormat): void {
  describe(`${format.name}, as every data set format`, () => {
    it("gives back numbers, tasks and true times of every episode, in any order", async () => {
      const reader = await write(format);
      expect([reader.info.episodes, reader.info.fps]).toEqual([2, fps]);
      for (const index of [1, 0]) {
        const episode = await reader.episode(index);
        expect([episode.index, episode.length, episode.tasks]).toEqual([index, times[index]!.length, [tasks[index]]]);
        expect(episode.timestampsS).toBeAllClose(times[index]!, { absolute: 1e-6, relative: 0 });
        const frames = times[index]!.map((_, frame) => frame);
        expect(floats(episode.columns["observation.state"])).toEqual(
          frames.flatMap((frame) => [...state(index, frame)]),
        );
        expect(floats(episode.columns.action)).toEqual(frames.flatMap((frame) => [...action(index, frame)]));
      }
      await reader.close();
    });

    it("gives back pictures, stored or as small squares", async () => {
      const reader = await write(format);
      const read = async (size?: number) => {
        const seen: number[][] = [];
        for await (const { data, height, width } of reader.frames(1, contractCamera, size))
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
      const reader = await write(format);
      expect(reader.info.features["observation.state"]!.shape).toEqual([3]);
      expect(reader.info.features.action!.shape).toEqual([2]);
      expect(reader.info.features[contractCamera]!.shape).toEqual([16, 24, 3]);
      await reader.close();
    });

    it("refuses an episode and a camera that it does not have, and stays usable", async () => {
      const reader = await write(format);
      await expect(reader.episode(2)).rejects.toThrow(UserError);
      const drain = async () => {
        for await (const _ of reader.frames(0, "observation.images.none"));
      };
      await expect(drain()).rejects.toThrow(UserError);
      expect((await reader.episode(0)).length).toBe(4);
      await reader.close();
    });

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
