import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { convertDataset } from "#datasets/convert-dataset.ts";
import { createRobomimicWriter } from "#datasets/hdf5/writer.ts";
import { openLeRobot } from "#datasets/lerobot/index.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { sharedData } from "./judge.ts";
import { camera, episodes, features, frameOf, greyOf } from "./lerobot/make-set.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

async function robomimicSet(): Promise<EpisodeReader> {
  const path = at("demos.hdf5");
  if (!existsSync(path)) {
    const writer = await createRobomimicWriter(path, { fps: 10, robotType: "pusher", features });
    for (const [episode, { task, times }] of episodes.entries()) {
      await writer.startEpisode(task);
      for (let frame = 0; frame < times.length; frame++) await writer.addFrame(frameOf(episode, frame));
      await writer.endEpisode();
    }
    await writer.finish();
  }
  return openDataset(path);
}

describe("convertDataset", () => {
  it.each(["v2.1", "v3.0"] as const)(
    "carries numbers, tasks, times and pictures from HDF5 to LeRobot %s",
    async (version) => {
      expect(await convertDataset(await robomimicSet(), at(version), { to: `lerobot-${version}` })).toBe(3);
      const reader = await openLeRobot(at(version));
      expect(reader.info.metadata).toMatchObject({ convertedFrom: "hdf5-robomimic" });
      for (const [index, { task, times }] of episodes.entries()) {
        const { tasks, timestampsS, columns } = await reader.episode(index);
        expect(tasks).toEqual([task]);
        expect(timestampsS).toBeAllClose(times, { absolute: 1e-6, relative: 0 });
        expect(columns.action).toEqual(
          Float32Array.from(times.flatMap((_, frame) => [...frameOf(index, frame).values.action])),
        );
        const greys: number[] = [];
        for await (const { data } of reader.frames(index, camera)) greys.push(data[0]!);
        expect(greys).toBeAllClose(
          times.map((_, frame) => greyOf(index, frame)),
          { absolute: 2, relative: 0 },
        );
      }
    },
  );

  it("leaves nothing behind when an episode cannot be read, unless somebody listens", async () => {
    const reader = await robomimicSet();
    const broken: EpisodeReader = {
      ...reader,
      async episode(index) {
        if (index === 1) throw new FormatError("demos.hdf5", "episode 1 is damaged.");
        return reader.episode(index);
      },
    };
    await expect(convertDataset(broken, at("strict"), { to: "lerobot-v2.1" })).rejects.toThrow("episode 1 is damaged");
    expect(existsSync(at("strict"))).toBe(false);
    const problems: number[] = [];
    expect(
      await convertDataset(broken, at("tolerant"), {
        to: "lerobot-v2.1",
        onProblem: ({ episode }) => problems.push(episode),
      }),
    ).toBe(2);
    expect(problems).toEqual([1]);
  });

  (existsSync(sharedData) ? it : it.skip)(
    "opens a real RLDS shard and makes a LeRobot set of it (needs ../shared/data)",
    async () => {
      const reader = await openDataset(join(sharedData, "robot_bridge_octo"));
      const first: EpisodeReader = { ...reader, info: { ...reader.info, episodes: 2 } };
      const cameras = [1, 2, 3].map((number) => `observation.images.image_${number}`);
      await convertDataset(first, at("bridge"), { to: "lerobot-v2.1", leaveOut: ["language_embedding", ...cameras] });
      const written = await openLeRobot(at("bridge"));
      const [original, copy] = [await reader.episode(1), await written.episode(1)];
      expect([copy.length, copy.tasks]).toEqual([10, original.tasks]);
      expect(copy.columns.action).toEqual(original.columns.action);
      expect(written.cameras).toEqual(["observation.images.image_0"]);
      await expect(convertDataset(first, at("bridge"), { to: "lerobot-v2.1" })).rejects.toThrow(
        "must be a new or empty folder",
      );
    },
  );
});
