import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { decodeRollout, encodeRollout, pickPlacePresets, pushPresets, writeRollout } from "#world/index.ts";
import { replayRollout } from "#world/replay.ts";
import { expertLog } from "./expert-log.ts";

describe("replayRollout", () => {
  it.each([
    ["pusher", pushPresets["language-table"]],
    ["arm", pushPresets["language-table"]],
    ["hand", pushPresets["language-table"]],
    ["widowx", pickPlacePresets["pick-place"]],
    ["panda", pickPlacePresets["pick-place"]],
  ] as const)("repeats a %s's rollout to the last bit, also from its file's bytes", async (embodiment, suite) => {
    const log = await expertLog(embodiment, 2, suite);
    expect(log.success).toBe(true);
    const replay = await replayRollout(decodeRollout(encodeRollout(log)));
    expect(replay).toEqual({ isExact: true, firstDifference: null, stateDigest: log.stateDigest });
  });

  it("repeats it in another process", async () => {
    const log = await expertLog("arm", 3);
    const folder = mkdtempSync(join(tmpdir(), "replay-"));
    const path = join(folder, "arm.rollout");
    await writeRollout(path, log);
    const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
    const script = fileURLToPath(new URL("./replay-elsewhere.ts", import.meta.url));
    const printed = execFileSync(process.execPath, ["--import", loader, script, path], { encoding: "utf8" });
    expect(JSON.parse(printed)).toEqual({ isExact: true, firstDifference: null, stateDigest: log.stateDigest });
    rmSync(folder, { recursive: true });
  });

  it("finds the frame from which a log is not what happened", async () => {
    const log = await expertLog("pusher", 2);
    const controls = log.controls.slice();
    controls[2 * 6] = controls[2 * 6]! + 1e-9;
    const replay = await replayRollout({ ...log, controls });
    expect(replay.isExact).toBe(false);
    expect(replay.stateDigest).not.toBe(log.stateDigest);
    const poses = log.geomPoses.slice();
    poses[poses.length - 1] = 0.5;
    expect(await replayRollout({ ...log, geomPoses: poses })).toMatchObject({
      isExact: false,
      firstDifference: log.frames - 1,
    });
  });
});
