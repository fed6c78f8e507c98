import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { createLeRobotWriter } from "#datasets/lerobot/index.ts";
import { temporaryFolder } from "../make-video.ts";
import { features, frameOf, greyOf } from "./make-set.ts";

const folder = temporaryFolder();
const script = fileURLToPath(new URL("lerobot_loader.py", import.meta.url));

/** Version of the installed lerobot: 0.3 reads v2.1, 0.4 and later v3.0. */
const installed = ((): string | undefined => {
  try {
    const code = "import importlib.metadata as m, lerobot.datasets.lerobot_dataset; print(m.version('lerobot'))";
    return execFileSync("python3", ["-c", code], { stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
})();
const version = installed?.startsWith("0.3") ? "v2.1" : "v3.0";

(installed ? describe : describe.skip)("LeRobot's own reader (needs python3 with lerobot)", () => {
  it(`opens what we write as ${version}: tasks, chunks of actions, pictures of earlier frames`, async () => {
    const path = join(folder, "set");
    const writer = await createLeRobotWriter(path, {
      version,
      fps: 10,
      robotType: "pusher",
      features,
      metadata: { renderer: "raster-1" },
    });
    for (const episode of [0, 1]) {
      await writer.startEpisode(`task ${episode}`);
      for (let frame = 0; frame < 5; frame++)
        await writer.addFrame({ ...frameOf(episode, frame), timestampS: frame / 10 });
      await writer.endEpisode();
    }
    await writer.finish();
    const out = execFileSync("python3", [script, path], {
      env: { ...process.env, HF_HOME: join(folder, "hf") },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const seen = JSON.parse(out.toString().trim().split("\n").at(-1)!) as {
      version: string;
      episodes: number;
      rows: { task: string; timestamp: number; action: number[]; grey: number[] }[];
    };
    expect([seen.version, seen.episodes, seen.rows.length]).toEqual([version, 2, 10]);
    for (const [index, row] of seen.rows.entries()) {
      const [episode, frame] = [Math.floor(index / 5), index % 5];
      expect(row.task).toBe(`task ${episode}`);
      expect(row.timestamp).toBeCloseTo(frame / 10, 6);
      const actions = [frame, Math.min(4, frame + 1)].flatMap((at) => [...frameOf(episode, at).values.action]);
      expect(row.action).toBeAllClose(actions);
      expect(row.grey).toBeAllClose(
        [Math.max(0, frame - 1), frame].map((at) => greyOf(episode, at)),
        { absolute: 2.5, relative: 0 },
      );
    }
  });
});
