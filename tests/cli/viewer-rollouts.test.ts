import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createRolloutLister, groupRollouts, readRollout, rolloutSeries } from "#cli/viewer-rollouts.ts";
import { FormatError } from "#core/errors.ts";
import { encodeRollout } from "#world/rollout.ts";
import { greySteps, makeVideo, temporaryFolder } from "../datasets/make-video.ts";
import { makeRollout, type RolloutOptions } from "../sim-viewer/make-rollout.ts";

const folder = temporaryFolder();
function write(name: string, options: RolloutOptions): string {
  const path = join(folder, `${name}.rollout`);
  writeFileSync(path, encodeRollout(makeRollout({ frames: 4, ...options })));
  return path;
}

describe("createRolloutLister", () => {
  it("lists what the file says of itself", async () => {
    const { summary } = await createRolloutLister()(write("a", { policyId: "lapa", success: false, instance: "i1" }));
    expect(summary).toMatchObject({ id: "a", frames: 4, rateHz: 10, success: false, policyId: "lapa", instance: "i1" });
    expect(summary.problem).toBeUndefined();
  });

  it("lists a broken file with its problem, and the file itself once it is mended", async () => {
    const list = createRolloutLister();
    const path = join(folder, "broken.rollout");
    writeFileSync(path, "hello");
    const { summary } = await list(path);
    expect(summary).toMatchObject({ id: "broken", frames: 0, success: null });
    expect(summary.problem).toMatch(/^expected MessagePack, got 5 bytes/);
    write("broken", {});
    expect((await list(path)).summary.problem).toBeUndefined();
  });

  it("never follows the name of a video out of the folder", async () => {
    const videos = { front: "front.mp4", other: "../other.mp4", root: "/etc/passwd" };
    const listed = await createRolloutLister()(write("videos", { videos }));
    expect([...listed.videos]).toEqual([["front", join(folder, "front.mp4")]]);
  });
});

describe("readRollout", () => {
  it("names the file that cannot be read", async () => {
    const path = join(folder, "none.rollout");
    await expect(readRollout(path)).rejects.toThrow(FormatError);
    await expect(readRollout(path)).rejects.toThrow(`${path}: must be a readable file`);
  });
});

describe("groupRollouts", () => {
  it("makes one group of each policy, and puts broken files into the first", async () => {
    const list = createRolloutLister();
    const bad = join(folder, "bad.rollout");
    writeFileSync(bad, "x");
    const paths = [bad, write("p", { policyId: "lapa" }), write("q", { policyId: "scratch" })];
    const groups = groupRollouts("run", "run", await Promise.all(paths.map(list)));
    expect(groups.map(({ group }) => [group.id, group.episodes.map(({ id }) => id)])).toEqual([
      ["run:lapa", ["bad", "p"]],
      ["run:scratch", ["q"]],
    ]);
    expect(groupRollouts("run", "run", [await list(paths[1]!)])[0]!.group.id).toBe("run");
  });

  it("opens an episode with the times of its own video, and says which video is missing", async () => {
    await makeVideo(join(folder, "e-front.mp4"), ...greySteps(4));
    const path = write("e", { videos: { front: "e-front.mp4", wrist: "gone.mp4" } });
    const [source] = groupRollouts("run", "run", [await createRolloutLister()(path)]);
    const detail = await source!.episode("e");
    expect(detail.timestampsS).toBeAllClose([0, 0.1, 0.2, 0.3]);
    expect(detail.videos.map(({ camera, url }) => [camera, url])).toEqual([["front", "files/video/run/e/front"]]);
    expect(detail.videos[0]!.frameTimesS).toBeAllClose([0, 0.1, 0.2, 0.3]);
    expect(detail.notes).toEqual(["Camera wrist: the video of this episode is missing."]);
    expect(await source!.videoFile("e", "front")).toBe(join(folder, "e-front.mp4"));
    expect(await source!.videoFile("e", "back")).toBeNull();
  });
});

describe("rolloutSeries", () => {
  it("plots actions as sent and where the effector was", () => {
    const log = makeRollout({ frames: 3 });
    const [action, position] = rolloutSeries(log);
    expect(action).toMatchObject({ name: "action", channels: ["dx", "dy"] });
    expect(action!.values[1]![2]).toBe(log.actions[5]);
    expect(position!.name).toBe("rod position (m)");
    expect(position!.values[2]).toBeAllClose([0.06, 0.06, 0.06]);
  });
});
