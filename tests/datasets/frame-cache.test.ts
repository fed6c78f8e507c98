import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { UserError } from "#core/errors.ts";
import { type FrameCacheOptions, openFrameCache } from "#datasets/frame-cache.ts";
import { decodeVideo } from "#datasets/video/decode.ts";
import { greySteps, makeVideo, temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
let count = 0;
const freshCache = (): FrameCacheOptions => ({ size: 16, directory: at(`cache-${count++}`) });
const source = (name: string) => ({ name, path: at(name) });
const clipFiles = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith(".clip"))
    .sort();

beforeAll(async () => {
  await makeVideo(at("a.mp4"), ...greySteps(7, "48x32"), "-c:v", "libx264");
  await makeVideo(at("b.mp4"), ...greySteps(4, "32x32", "25"), "-c:v", "libx264");
  writeFileSync(at("bad.mp4"), "no video");
});

describe("openFrameCache", () => {
  it("gives back the frames and times that decoding gives", async () => {
    const cache = await openFrameCache([source("a.mp4"), source("b.mp4")], freshCache());
    expect(cache.clips.map(({ name, frames }) => [name, frames])).toEqual([
      ["a.mp4", 7],
      ["b.mp4", 4],
    ]);
    const out = new Uint8Array(10 + 16 * 16 * 3);
    let frame = 0;
    for await (const { data, timestampS } of decodeVideo(at("b.mp4"), { size: 16 })) {
      cache.read(1, frame, out, 10);
      expect(Buffer.from(out.subarray(10)).equals(Buffer.from(data))).toBe(true);
      expect(cache.clips[1]!.timestampsS[frame]).toBe(timestampS);
      frame++;
    }
    expect([...out.subarray(0, 10)]).toEqual(Array(10).fill(0));
    expect(frame).toBe(4);
    cache.close();
  });

  it("decodes only once, also when the video has another name", async () => {
    const options = freshCache();
    (await openFrameCache([source("a.mp4")], options)).close();
    const before = clipFiles(options.directory).map((name) => statSync(join(options.directory, name)).ino);
    copyFileSync(at("a.mp4"), at("copy.mp4"));
    const cache = await openFrameCache([{ ...source("copy.mp4"), caption: "a copy" }], options);
    expect(cache.clips[0]).toMatchObject({ name: "copy.mp4", caption: "a copy", frames: 7 });
    expect(clipFiles(options.directory).map((name) => statSync(join(options.directory, name)).ino)).toEqual(before);
    cache.close();
  });

  it("decodes again when the content, the size or the fit is another", async () => {
    const options = freshCache();
    copyFileSync(at("a.mp4"), at("changing.mp4"));
    const open = async (extra: Partial<FrameCacheOptions> = {}) =>
      (await openFrameCache([source("changing.mp4")], { ...options, ...extra })).clips[0]!;
    const first = await open();
    await open({ size: 8 });
    await open({ fit: "stretch" });
    copyFileSync(at("b.mp4"), at("changing.mp4"));
    const changed = await open();
    expect(clipFiles(options.directory).length).toBe(4);
    expect([first.frames, changed.frames]).toEqual([7, 4]);
    expect(changed.hash).not.toBe(first.hash);
  });

  it("cuts ranges out of one file into clips of their own", async () => {
    const whole = source("a.mp4");
    const cache = await openFrameCache(
      [
        { ...whole, name: "first", endS: 0.25 },
        { ...whole, name: "second", startS: 0.25 },
      ],
      freshCache(),
    );
    expect(cache.clips.map(({ timestampsS }) => [...timestampsS].map((time) => Math.round(time * 10)))).toEqual([
      [0, 1, 2],
      [3, 4, 5, 6],
    ]);
    cache.close();
  });

  it("lists the clips that cannot be used and goes on with the others", async () => {
    const progress: number[] = [];
    const cache = await openFrameCache([source("bad.mp4"), source("a.mp4"), source("gone.mp4")], {
      ...freshCache(),
      onProgress: (done, total) => progress.push(done, total),
    });
    expect(cache.clips.map(({ name }) => name)).toEqual(["a.mp4"]);
    expect(cache.problems.map(({ path }) => path)).toEqual([at("bad.mp4"), at("gone.mp4")]);
    expect(cache.problems[1]!.message).toBe(`${at("gone.mp4")}: the video does not exist. Check the path.`);
    expect(progress).toEqual([1, 3, 2, 3, 3, 3]);
    cache.close();
  });

  it("says why when no clip can be used", async () => {
    const opening = openFrameCache([source("bad.mp4")], freshCache());
    await expect(opening).rejects.toThrow(UserError);
    await expect(opening).rejects.toThrow(/none of 1 videos can be used:\n {2}.*bad\.mp4: must be a video/);
    await expect(openFrameCache([], freshCache())).rejects.toThrow("expected at least one video, got none");
  });

  it("is safe when two open the same folder at once", async () => {
    const options = freshCache();
    const caches = await Promise.all([1, 2, 3].map(() => openFrameCache([source("a.mp4"), source("b.mp4")], options)));
    expect(clipFiles(options.directory).length).toBe(2);
    expect(readdirSync(options.directory).filter((name) => name.endsWith(".part"))).toEqual([]);
    for (const cache of caches) cache.close();
  });

  it("decodes again what a cut or a foreign file left in its place", async () => {
    const options = freshCache();
    (await openFrameCache([source("a.mp4")], options)).close();
    const file = join(options.directory, clipFiles(options.directory)[0]!);
    for (const damage of [
      () => truncateSync(file, 100),
      () => appendFileSync(file, "more"),
      () => writeFileSync(file, ""),
    ]) {
      damage();
      const cache = await openFrameCache([source("a.mp4")], options);
      expect(cache.clips[0]!.frames).toBe(7);
      cache.close();
    }
  });

  it("removes part files that nobody writes to any more", async () => {
    const options = freshCache();
    mkdirSync(options.directory, { recursive: true });
    const [stale, young] = ["x.clip.1.part", "y.clip.2.part"].map((name) => join(options.directory, name)) as [
      string,
      string,
    ];
    for (const path of [stale, young]) writeFileSync(path, "half a clip");
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(stale, hourAgo, hourAgo);
    (await openFrameCache([source("a.mp4")], options)).close();
    expect(readdirSync(options.directory).filter((name) => name.endsWith(".part"))).toEqual(["y.clip.2.part"]);
  });

  it("keeps within its limit by removing what was not used for longest", async () => {
    const options = freshCache();
    (await openFrameCache([source("a.mp4")], options)).close();
    const [old] = clipFiles(options.directory);
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(join(options.directory, old!), hourAgo, hourAgo);
    (await openFrameCache([source("b.mp4")], { ...options, limitBytes: 5000 })).close();
    expect(clipFiles(options.directory)).not.toContain(old);
    expect(clipFiles(options.directory).length).toBe(1);
  });

  it("refuses clips that are together larger than the limit", async () => {
    const opening = openFrameCache([source("a.mp4"), source("b.mp4")], {
      ...freshCache(),
      limitBytes: 7000,
      workers: 1,
    });
    await expect(opening).rejects.toThrow(/must fit into .* GiB, but the first 2 need .* GiB/);
  });

  it("stops when it is aborted and leaves no part behind", async () => {
    const options = freshCache();
    const stop = new AbortController();
    const opening = openFrameCache([source("a.mp4"), source("b.mp4")], {
      ...options,
      workers: 1,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(opening).rejects.toThrow("enough");
    expect(readdirSync(options.directory).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("refuses frames that are not there and a clip that was removed meanwhile", async () => {
    const options = freshCache();
    const cache = await openFrameCache([source("a.mp4")], options);
    const out = new Uint8Array(16 * 16 * 3);
    expect(() => cache.read(0, 7, out, 0)).toThrow(RangeError);
    expect(() => cache.read(0, -1, out, 0)).toThrow(RangeError);
    expect(() => cache.read(1, 0, out, 0)).toThrow(RangeError);
    expect(() => cache.read(0, 0, new Uint8Array(10), 0)).toThrow(RangeError);
    const again = await openFrameCache([source("a.mp4")], options);
    rmSync(options.directory, { recursive: true });
    expect(() => again.read(0, 0, out, 0)).toThrow(/another run removed them/);
    cache.close();
    expect(() => cache.read(0, 0, out, 0)).toThrow("read after close");
  });
});
