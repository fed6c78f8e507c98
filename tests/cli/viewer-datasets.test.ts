import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createDataset, episodeSeries, playableTimes } from "#cli/viewer-datasets.ts";
import { createFilms } from "#cli/viewer-films.ts";
import { openSet as openFound, type SetFormat } from "#cli/viewer-formats.ts";
import { readFrameTimes } from "#cli/viewer-video-times.ts";
import type { Episode, Feature } from "#core/contracts/episode.ts";
import { createRobomimicWriter } from "#datasets/hdf5/writer.ts";
import { createLeRobotWriter } from "#datasets/lerobot/index.ts";
import { encodeRollout } from "#world/rollout.ts";
import { temporaryFolder } from "../datasets/make-video.ts";
import { makeRollout } from "../sim-viewer/make-rollout.ts";

const folder = join(temporaryFolder(), "set");
const camera = "observation.images.front";
/** Frame 2 was dropped: a gap of two intervals. */
const timesS = [0, 0.1, 0.3, 0.4];

beforeAll(async () => {
  const feature = (names: string[]): Feature => ({ dtype: "float32", shape: [names.length], names });
  const writer = await createLeRobotWriter(folder, {
    fps: 10,
    robotType: "pusher",
    features: {
      action: feature(["dx", "dy"]),
      "observation.state": feature(["tip x", "tip y"]),
      [camera]: { dtype: "video", shape: [16, 16, 3], names: ["height", "width", "channels"] },
    },
  });
  for (const task of ["push the red block", "push the blue block"]) {
    await writer.startEpisode(task);
    for (const [frame, timestampS] of timesS.entries()) {
      const values = {
        action: Float32Array.of(frame, -frame),
        "observation.state": Float32Array.of(0.5 * frame, Number.NaN),
      };
      const image = { data: new Uint8Array(16 * 16 * 3).fill(frame * 20), width: 16, height: 16 };
      await writer.addFrame({ timestampS, values, images: { [camera]: image } });
    }
    await writer.endEpisode();
  }
  await writer.finish();
});

const films = createFilms();
afterAll(() => films.close());
const openSet = (path = folder, format: SetFormat = "lerobot") =>
  createDataset(path, { id: "set", label: "set", kind: format }, () => openFound({ path, format }), films);

describe("createDataset", () => {
  it("lists all episodes with their tasks and lengths", async () => {
    const { group, has } = await openSet().source();
    expect(group.episodes.map(({ id, instruction, frames }) => [id, instruction, frames])).toEqual([
      ["episode_000000", "push the red block", 4],
      ["episode_000001", "push the blue block", 4],
    ]);
    expect(group.problem).toBeUndefined();
    expect(has).toBeDefined();
  });

  it("opens an episode with its true times, its columns and its pictures", async () => {
    const source = await openSet().source();
    const detail = await source.episode("episode_000001");
    expect(detail.timestampsS).toBeAllClose(timesS);
    expect(detail.series.map(({ name }) => name)).toEqual(["observation.state", "action"]);
    expect(detail.series[0]!.values).toEqual([
      [0, 0.5, 1, 1.5],
      [null, null, null, null],
    ]);
    expect(detail.videos).toHaveLength(1);
    expect(detail.videos[0]!.url).toBe("files/video/set/episode_000001/observation.images.front");
    expect(detail.videos[0]!.frameTimesS).toBeAllClose(timesS);
    expect([detail.rolloutUrl, detail.notes]).toEqual([null, []]);
    expect(existsSync((await source.videoFile("episode_000001", camera))!)).toBe(true);
  });

  it("opens one reader for pages that ask at once, and another one when the set grew", async () => {
    let count = 0;
    const open = () => {
      count++;
      return openFound({ path: folder, format: "lerobot" });
    };
    const set = createDataset(folder, { id: "set", label: "set", kind: "lerobot" }, open, films);
    const [first, second] = await Promise.all([set.source(), set.source()]);
    expect([count, first === second, (await set.source()) === first]).toEqual([1, true, true]);
    utimesSync(join(folder, "meta/info.json"), new Date(), new Date(Date.now() + 5000));
    expect((await set.source()) === first).toBe(false);
    expect(count).toBe(2);
  });

  it("hands out no file for names that are not in the set", async () => {
    const source = await openSet().source();
    expect(await source.videoFile("episode_000009", camera)).toBeNull();
    expect(await source.videoFile("episode_000000", "observation.state")).toBeNull();
    expect(await source.videoFile("../episode_000000", camera)).toBeNull();
    expect(source.has("episode_000002")).toBe(false);
  });

  it("finds the rollout that a simulated set keeps beside an episode", async () => {
    mkdirSync(join(folder, "extra/rollouts"), { recursive: true });
    writeFileSync(
      join(folder, "extra/rollouts/episode_000000.rollout"),
      encodeRollout(makeRollout({ success: false })),
    );
    writeFileSync(join(folder, "extra/rollouts/episode_000001.rollout"), "cut");
    const source = await openSet().source();
    const whole = await source.episode("episode_000000");
    expect([whole.rolloutUrl, whole.summary.success]).toEqual(["files/rollout/set/episode_000000", false]);
    const cut = await source.episode("episode_000001");
    expect([cut.rolloutUrl, cut.summary.success]).toEqual([null, null]);
    expect(cut.notes[0]).toContain("episode_000001.rollout: expected MessagePack");
  });

  it("plays an episode without its video and says so", async () => {
    const source = await openSet().source();
    rmSync((await source.videoFile("episode_000000", camera))!);
    const detail = await source.episode("episode_000000");
    expect(detail.videos).toEqual([]);
    expect(detail.notes).toEqual([`Camera ${camera}: the video of this episode is missing.`]);
  });

  it("opens HDF5, whose single pictures become a film", async () => {
    const path = join(folder, "..", "demonstrations.hdf5");
    const writer = await createRobomimicWriter(path, {
      fps: 10,
      robotType: "arm",
      features: {
        action: { dtype: "float32", shape: [1], names: ["x"] },
        [camera]: { dtype: "image", shape: [16, 16, 3], names: ["height", "width", "channels"] },
      },
    });
    await writer.startEpisode("go");
    for (const timestampS of timesS) {
      const image = { data: new Uint8Array(16 * 16 * 3), width: 16, height: 16 };
      await writer.addFrame({
        timestampS,
        values: { action: Float32Array.of(timestampS) },
        images: { [camera]: image },
      });
    }
    await writer.endEpisode();
    await writer.finish();
    const source = await openSet(path, "hdf5").source();
    const detail = await source.episode("episode_000000");
    expect(detail.timestampsS).toBeAllClose(timesS);
    expect(detail.series.map(({ name }) => name)).toEqual(["action"]);
    expect(detail.videos[0]!.frameTimesS).toBeAllClose(timesS);
    const film = await source.videoFile("episode_000000", detail.videos[0]!.camera);
    expect(await readFrameTimes(film!)).toBeAllClose(timesS);
  });

  it("keeps a set that cannot be opened in the list, with the reason", async () => {
    const broken = join(folder, "..", "broken");
    mkdirSync(join(broken, "meta"), { recursive: true });
    writeFileSync(join(broken, "meta/info.json"), "{");
    const { group } = await openSet(broken).source();
    expect(group.episodes).toEqual([]);
    expect(group.problem).toContain("info.json");
  });
});

const episodeOf = (timestampsS: number[], columns: Episode["columns"] = {}): Episode => ({
  index: 0,
  length: timestampsS.length,
  tasks: [],
  timestampsS: Float64Array.from(timestampsS),
  columns,
});

describe("playableTimes", () => {
  it("keeps gaps", () => {
    expect(playableTimes(episodeOf([0.03, 0.1, 0.4]), 10)).toEqual({ timestampsS: [0.03, 0.1, 0.4], note: null });
  });

  it.each([
    ["go back", [0, 0.2, 0.1], 2],
    ["stand still", [0, 0, 0.1], 1],
    ["are no numbers", [0, Number.NaN, 0.1], 1],
  ])("plays at an even rate where times %s", (_, timestampsS, frame) => {
    const { timestampsS: played, note } = playableTimes(episodeOf(timestampsS), 10);
    expect(played).toBeAllClose([0, 0.1, 0.2]);
    expect(note).toContain(`frame ${frame}`);
  });
});

describe("episodeSeries", () => {
  const numbers: Feature = { dtype: "float32", shape: [2], names: null };
  it("leaves out bookkeeping, words and what is too wide to plot", () => {
    const features: Record<string, Feature> = {
      index: { dtype: "int64", shape: [1], names: null },
      note: { dtype: "string", shape: [1], names: null },
      depth: { dtype: "float32", shape: [16, 16], names: null },
      reward: { dtype: "int64", shape: [1], names: null },
      "observation.state": numbers,
    };
    const columns = {
      index: BigInt64Array.of(0n),
      note: ["x"],
      depth: new Float32Array(256),
      reward: BigInt64Array.of(7n),
      "observation.state": Float32Array.of(1, 2),
    };
    expect(episodeSeries(features, episodeOf([0], columns))).toEqual([
      { name: "observation.state", channels: ["0", "1"], values: [[1], [2]] },
      { name: "reward", channels: ["reward"], values: [[7]] },
    ]);
  });
});
