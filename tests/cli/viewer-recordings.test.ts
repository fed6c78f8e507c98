import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createFilms } from "#cli/viewer-films.ts";
import { createRecordingOpener, groupRecordings } from "#cli/viewer-recording-group.ts";
import { readPictures, readRecording } from "#cli/viewer-recordings.ts";
import { readFrameTimes } from "#cli/viewer-video-times.ts";
import { FormatError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { createMcapSet } from "#datasets/mcap/episodes.ts";
import { createMcapRecorder } from "#datasets/mcap/writer.ts";
import { temporaryFolder } from "../datasets/make-video.ts";

const folder = temporaryFolder();
const path = join(folder, "run.mcap");
const startNs = 1_700_000_000_000_000_000n;
const atNs = (timeS: number) => startNs + BigInt(Math.round(timeS * 1e9));
const picture = (level: number) => ({
  format: "png",
  data: Buffer.from(encodePng({ data: new Uint8Array(16 * 8 * 3).fill(level), width: 16, height: 8 })).toString(
    "base64",
  ),
});

beforeAll(async () => {
  const recorder = await createMcapRecorder(path);
  const channel = (topic: string, schemaName: string) =>
    recorder.addChannel({ topic, schemaName, schema: { type: "object" } });
  const fast = await channel("/joints", "Joints");
  const slow = await channel("/battery", "Battery");
  const camera = await channel("/camera/front", "foxglove.CompressedImage");
  const task = await channel("/task/instruction", "std_msgs/String");
  await recorder.write(task, startNs, { data: "push the block" });
  for (let step = 0; step < 10; step++) {
    await recorder.write(fast, atNs(step / 10), { position: [step, -step] });
    if (step % 4 === 0) await recorder.write(slow, atNs(step / 10 + 0.05), { volts: 12 - step });
    if (step % 3 === 0) await recorder.write(camera, atNs(step / 10 + 0.02), picture(60 + step));
  }
  await recorder.close();
});

describe("readRecording", () => {
  it("runs on the times of the fastest topic", async () => {
    const { timestampsS, instruction, notes } = await readRecording(path);
    expect(timestampsS).toBeAllClose(Array.from({ length: 10 }, (_, step) => step / 10));
    expect([instruction, notes]).toEqual(["push the block", []]);
  });

  it("shows of slower topics what came last before each row", async () => {
    const { series } = await readRecording(path);
    expect(series.map(({ name, channels }) => [name, channels])).toEqual([
      ["/joints", ["position[0]", "position[1]"]],
      ["/battery", ["volts"]],
    ]);
    expect(series[0]!.values[1]!.slice(0, 3)).toEqual([0, -1, -2]);
    expect(series[1]!.values[0]).toEqual([null, 12, 12, 12, 12, 8, 8, 8, 8, 4]);
  });

  it("plays a recording that was cut up to there and says so", async () => {
    const cut = join(folder, "cut.mcap");
    const whole = readFileSync(path);
    writeFileSync(cut, whole.subarray(0, whole.length - 200));
    const recording = await readRecording(cut);
    expect(recording.timestampsS.length).toBeGreaterThan(3);
    expect(recording.notes.join(" ")).toMatch(/was cut|damaged/);
  });

  it.each([
    ["nothing", ""],
    ["something else", "hello, this is no recording at all"],
  ])("refuses a file of %s", async (_, content) => {
    const broken = join(folder, "broken.mcap");
    writeFileSync(broken, content);
    await expect(readRecording(broken)).rejects.toThrow(FormatError);
    await expect(readRecording(broken)).rejects.toThrow(broken);
  });

  it("reads a data set's own recordings like all others", async () => {
    const set = join(folder, "set");
    const writer = await createMcapSet(set, {
      fps: 10,
      robotType: "arm",
      features: { action: { dtype: "float32", shape: [2], names: ["dx", "dy"] } },
    });
    await writer.startEpisode("turn");
    for (const timestampS of [0, 0.1]) {
      await writer.addFrame({ timestampS, values: { action: Float32Array.of(timestampS, 1) }, images: {} });
    }
    await writer.endEpisode();
    await writer.finish();
    const { series, instruction } = await readRecording(join(set, "episode_000000.mcap"));
    expect([instruction, series[0]!.name, series[0]!.channels]).toEqual(["turn", "/action", ["dx", "dy"]]);
  });

  const bag = "../shared/data/conformance/rosbag2/wbag_0.mcap";
  const withBag = existsSync(bag) ? it : it.skip;
  withBag("says that a bag of nothing but texts has nothing to play (skipped without ../shared/data)", async () => {
    await expect(readRecording(bag)).rejects.toThrow("must hold topics with numbers or compressed pictures");
  });
});

describe("readPictures", () => {
  it("decodes the pictures of one topic in their order", async () => {
    const levels: number[] = [];
    for await (const { data, width, height } of readPictures(path, "/camera/front")) {
      expect([width, height]).toEqual([16, 8]);
      levels.push(data[0]!);
    }
    expect(levels).toEqual([60, 63, 66, 69]);
  });
});

describe("groupRecordings", () => {
  it("makes an episode of each file, with films of its cameras that keep their own times", async () => {
    const films = createFilms();
    const source = groupRecordings("runs", [path], createRecordingOpener(), films);
    expect(source.group.episodes.map(({ id }) => id)).toEqual(["run"]);
    const detail = await source.episode("run");
    expect(detail.summary).toMatchObject({ instruction: "push the block", frames: 10 });
    expect(detail.summary.rateHz).toBeCloseTo(10, 6);
    expect(detail.videos.map(({ camera, url }) => [camera, url])).toEqual([
      ["/camera/front", "files/video/runs/run/%2Fcamera%2Ffront"],
    ]);
    // Pictures came at 0.02, 0.32, 0.62 and 0.92 s; the film starts with the first.
    expect(detail.videos[0]!.frameTimesS).toBeAllClose([0, 0, 0, 0, 0.3, 0.3, 0.3, 0.6, 0.6, 0.6]);
    const film = await source.videoFile("run", "/camera/front");
    expect(await readFrameTimes(film!)).toBeAllClose([0, 0.3, 0.6, 0.9]);
    expect(await source.videoFile("run", "/camera/back")).toBeNull();
    expect(await source.videoFile("../run", "/camera/front")).toBeNull();
    await films.close();
  });
});
