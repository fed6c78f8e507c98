import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createLibrary } from "#cli/viewer-library.ts";
import { UserError } from "#core/errors.ts";
import { encodeRollout } from "#world/rollout.ts";
import { temporaryFolder } from "../datasets/make-video.ts";
import { makeRollout } from "../sim-viewer/make-rollout.ts";

const folder = temporaryFolder();
function write(path: string): string {
  const whole = join(folder, path);
  mkdirSync(join(whole, ".."), { recursive: true });
  writeFileSync(whole, encodeRollout(makeRollout({ frames: 2, policyId: "lapa" })));
  return whole;
}
write("run/rollouts/episode_10.rollout");
write("run/rollouts/episode_9.rollout");
write("other/a/b/c/d/deep.rollout");
write("other/a/b/c/d/e/too-deep.rollout");
write("other/.hidden/x.rollout");
mkdirSync(join(folder, "empty"));
symlinkSync(join(folder, "run"), join(folder, "empty/linked"));

const names = async (...paths: string[]) =>
  (await createLibrary(paths).catalog()).groups.map(({ id, episodes }) => [
    id,
    ...episodes.map((episode) => episode.id),
  ]);

describe("createLibrary", () => {
  it("finds rollouts four folders deep, in the order of their numbers, and follows links", async () => {
    expect(await names(join(folder, "other"))).toEqual([["a/b/c/d", "deep"]]);
    expect(await names(join(folder, "run"))).toEqual([["rollouts", "episode_9", "episode_10"]]);
    expect(await names(join(folder, "empty"))).toEqual([["linked/rollouts", "episode_9", "episode_10"]]);
  });

  it("takes a single file and a folder of files", async () => {
    expect(await names(join(folder, "run/rollouts/episode_9.rollout"))).toEqual([["rollouts", "episode_9"]]);
    expect(await names(join(folder, "run/rollouts"))).toEqual([["rollouts", "episode_9", "episode_10"]]);
  });

  it("keeps several folders apart, also those of one name", async () => {
    const groups = await names(join(folder, "run"), join(folder, "run"), join(folder, "other"));
    expect(groups.map(([id]) => id)).toEqual(["run/rollouts", "run (2)/rollouts", "other/a/b/c/d"]);
  });

  it("is empty where there is nothing", async () => {
    mkdirSync(join(folder, "nothing"), { recursive: true });
    expect(await names(join(folder, "nothing"))).toEqual([]);
  });

  it("finds an episode that was written after the catalogue", async () => {
    const library = createLibrary([join(folder, "run")]);
    await library.catalog();
    const path = write("run/rollouts/episode_11.rollout");
    expect(await library.rolloutFile("rollouts", "episode_11")).toBe(path);
    expect((await library.episode("rollouts", "episode_11")).timestampsS).toBeAllClose([0, 0.1]);
  });

  it("keeps data sets of every format beside the rollouts, also broken ones", async () => {
    for (const [path, content] of [
      ["sets/lerobot/meta/info.json", "{"],
      ["sets/rlds/features.json", "{"],
      ["sets/rlds/dataset_info.json", "{"],
      ["sets/mixed/demo.hdf5", "not HDF5"],
    ] as const) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    write("sets/mixed/episode_1.rollout");
    const { groups } = await createLibrary([join(folder, "sets")]).catalog();
    expect(groups.map(({ id, kind, problem }) => [id, kind, problem === undefined])).toEqual([
      ["mixed", "rollouts", true],
      ["lerobot", "lerobot", false],
      ["mixed (hdf5)", "hdf5", false],
      ["rlds", "rlds", false],
    ]);
    const single = await createLibrary([join(folder, "sets/mixed/demo.hdf5")]).catalog();
    expect(single.groups.map(({ id, kind }) => [id, kind])).toEqual([["demo.hdf5", "hdf5"]]);
  });

  it.each([
    ["rollouts", "episode_99"],
    ["rollouts", "../rollouts/episode_9"],
    ["../run/rollouts", "episode_9"],
    ["", ""],
    ["__proto__", "constructor"],
  ])("has no episode %p / %p", async (group, id) => {
    const library = createLibrary([join(folder, "run")]);
    await expect(library.episode(group, id)).rejects.toThrow(UserError);
    await expect(library.rolloutFile(group, id)).rejects.toThrow("Choose one from the list.");
    await expect(library.videoFile(group, id, "front")).rejects.toThrow(UserError);
  });
});
