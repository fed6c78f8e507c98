/** @file Every format's files, damaged at random: values or a FormatError that names the place, soon, in bounded memory. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { EpisodeFrame, EpisodeWriter, Feature } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { episodeIndices } from "#datasets/episode-indices.ts";
import { createRobomimicWriter } from "#datasets/hdf5/writer.ts";
import { createLeRobotWriter } from "#datasets/lerobot/index.ts";
import { createMcapSet } from "#datasets/mcap/episodes.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { createRldsWriter } from "#datasets/rlds/writer.ts";
import { createVideoWriter } from "#datasets/video/encode.ts";
import { sharedData } from "./judge.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const camera = "observation.images.front";
const fps = 8;
const features: Readonly<Record<string, Feature>> = {
  "observation.state": { dtype: "float32", shape: [3], names: ["x", "y", "z"] },
  action: { dtype: "float32", shape: [2], names: ["dx", "dy"] },
  [camera]: { dtype: "video", shape: [16, 24, 3], names: ["height", "width", "channels"] },
};
const asImages = { ...features, [camera]: { ...features[camera]!, dtype: "image" as const } };
const picture = (level: number) => ({ data: new Uint8Array(16 * 24 * 3).fill(level), height: 16, width: 24 });
const frameOf = (frame: number): EpisodeFrame => ({
  timestampS: frame / fps,
  values: { "observation.state": Float32Array.of(frame, 1, 2), action: Float32Array.of(frame, -1) },
  images: { [camera]: picture(30 + frame) },
});

async function fill(writer: EpisodeWriter): Promise<void> {
  for (const task of ["push the red block", "push the blue block"]) {
    await writer.startEpisode(task);
    for (let frame = 0; frame < 4; frame++) await writer.addFrame(frameOf(frame));
    await writer.endEpisode();
  }
  await writer.finish();
}

/** Makes a whole set at `path`, a folder that is there. @returns what is opened, from there */
const formats: Readonly<Record<string, (path: string) => Promise<string>>> = {
  "LeRobot v2.1 with videos": async (path) => {
    await fill(await createLeRobotWriter(join(path, "set"), { version: "v2.1", features, fps, robotType: "arm" }));
    return "set";
  },
  "LeRobot v3.0 with pictures": async (path) => {
    const options = { version: "v3.0", features: asImages, fps, robotType: "arm" } as const;
    await fill(await createLeRobotWriter(join(path, "set"), options));
    return "set";
  },
  RLDS: async (path) => {
    await fill(await createRldsWriter(join(path, "set"), { features, fps, robotType: "arm" }));
    return "set";
  },
  HDF5: async (path) => {
    await fill(await createRobomimicWriter(join(path, "set.hdf5"), { features, fps, robotType: "arm" }));
    return "set.hdf5";
  },
  MCAP: async (path) => {
    await fill(await createMcapSet(join(path, "set"), { features, fps, robotType: "arm" }));
    return "set";
  },
  "rows of LAPA": async (path) => {
    const rows = [0, 1, 2, 3].map((frame) => {
      writeFileSync(join(path, `img_${frame}.png`), encodePng(picture(frame)));
      return JSON.stringify({ image: `img_${frame}.png`, instruction: "pour", raw_actions: ["0.5", "-1"] });
    });
    writeFileSync(join(path, "rows.jsonl"), rows.join("\n"));
    return "rows.jsonl";
  },
  videos: async (path) => {
    mkdirSync(join(path, "set"));
    const writer = await createVideoWriter(join(path, "set", "clip.mp4"), { height: 16, width: 24, fps });
    for (let frame = 0; frame < 8; frame++) await writer.write(picture(frame * 20).data, frame / fps);
    await writer.close();
    return "set";
  },
  "a ROS 1 bag": async (path) => {
    cpSync(join(sharedData, "conformance/rosbag1/fake_joint_state.bag"), join(path, "set.bag"));
    return "set.bag";
  },
  "a ROS 2 bag in sqlite3": async (path) => {
    cpSync(join(sharedData, "conformance/rosbag2/plotjuggler_rosbag2_test_0.db3"), join(path, "set.db3"));
    return "set.db3";
  },
};

/** Where, as a share of the file, and what: 0 to 255 there, a length of 2 ** 32 - 1 or 2 ** 63 - 1, zeros, or nothing after. */
const share = fc.nat(2 ** 20 - 1).map((value) => value / 2 ** 20);
const damage = fc.record({
  file: share,
  places: fc.array(share, { minLength: 1, maxLength: 4 }),
  // Headers and footers matter most.
  edge: fc.constantFrom("anywhere", "start", "end"),
  kind: fc.oneof(fc.nat(255), fc.constantFrom("length32", "length64", "zeros", "cut")),
});
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function placeOf(place: number, edge: Damage["edge"], length: number): number {
  const near = Math.min(length, 256);
  if (edge === "start") return Math.floor(place * near);
  return edge === "end" ? length - 1 - Math.floor(place * near) : Math.floor(place * length);
}

function apply(bytes: Buffer, { places, edge, kind }: Damage): Buffer {
  const changed = Buffer.from(bytes);
  for (const place of places) {
    const at = placeOf(place, edge, changed.length);
    if (kind === "cut") return changed.subarray(0, at);
    if (kind === "length32") changed.fill(0xff, at, Math.min(at + 4, changed.length));
    else if (kind === "zeros") changed.fill(0, at, Math.min(at + 16, changed.length));
    else if (kind === "length64") Buffer.from("ffffffffffffff7f", "hex").copy(changed, at);
    else changed[at] = kind;
  }
  return changed;
}

async function readAll(path: string): Promise<void> {
  const reader = await openDataset(path);
  try {
    const cameras = Object.keys(reader.info.features).filter((name) => name.startsWith("observation.images."));
    for (const index of episodeIndices(reader).slice(0, 3)) {
      await reader.episode(index);
      for (const name of cameras) for await (const image of reader.frames(index, name, 8)) expect(image.height).toBe(8);
    }
  } finally {
    await reader.close();
  }
}

const seconds = 20;
const mostMemory = 2 ** 30;

describe.each(Object.entries(formats))("%s", (name, make) => {
  const whole = join(folder, `${name} whole`);
  const damaged = join(folder, `${name} damaged`);
  let inside = "";
  beforeAll(async () => {
    mkdirSync(whole);
    inside = await make(whole);
    await readAll(join(whole, inside));
  });
  afterAll(() => rmSync(damaged, { recursive: true, force: true }));

  it("is read, or refused by name, whatever happened to its bytes", async () => {
    const files = readdirSync(whole, { recursive: true, encoding: "utf8" })
      .filter((file) => statSync(join(whole, file)).isFile())
      .sort();
    const before = process.memoryUsage().rss;
    await fc.assert(
      fc.asyncProperty(damage, async (given) => {
        const file = files[Math.floor(given.file * files.length)]!;
        rmSync(damaged, { recursive: true, force: true });
        cpSync(whole, damaged, { recursive: true });
        writeFileSync(join(damaged, file), apply(readFileSync(join(whole, file)), given));
        const start = performance.now();
        const outcome = await readAll(join(damaged, inside)).catch((error: unknown) => error);
        if (outcome !== undefined) {
          expect(outcome).toBeInstanceOf(UserError);
          expect((outcome as Error).message).toContain(damaged);
        }
        expect((performance.now() - start) / 1000).toBeLessThan(seconds);
        expect(process.memoryUsage().rss - before).toBeLessThan(mostMemory);
      }),
      { numRuns: Number(process.env.ARMATURE_FUZZ_RUNS ?? 60), endOnFailure: true },
    );
  });
});
