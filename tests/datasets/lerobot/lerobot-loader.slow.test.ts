import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { createLeRobotWriter, openLeRobot } from "#datasets/lerobot/index.ts";
import { pushPresets, simulateEpisodes, writeDemonstrations } from "#world/index.ts";
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

type Seen = {
  readonly version: string;
  readonly episodes: number;
  /** Two actions, and the mean of two pictures, for each frame. */
  readonly rows: readonly { task: string; timestamp: number; action: number[]; grey: number[] }[];
};

function load(path: string): Seen {
  const out = execFileSync("python3", [script, path], {
    env: { ...process.env, HF_HOME: join(folder, "hf") },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(out.toString().trim().split("\n").at(-1)!) as Seen;
}

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
    const seen = load(path);
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

  (version === "v3.0" ? it : it.skip)("opens the demo's demonstrations (needs lerobot 0.4 or later)", async () => {
    const directory = join(folder, "demonstrations");
    const played = simulateEpisodes({ suite: pushPresets.demo, embodiment: "arm", episodes: 2, seed: 2, size: 128 });
    await writeDemonstrations(played, { directory });
    const own = await openLeRobot(directory);
    const seen = load(directory);
    expect([seen.version, seen.episodes, seen.rows.length]).toEqual(["v3.0", 2, own.info.frames]);
    let row = 0;
    for (const index of [0, 1]) {
      const { length, tasks, columns, timestampsS } = await own.episode(index);
      const greys: number[] = [];
      for await (const { data } of own.frames(index, "observation.images.front")) {
        greys.push(data.reduce((sum, value) => sum + value, 0) / data.length);
      }
      for (let frame = 0; frame < length; frame++, row++) {
        const { task, timestamp, action, grey } = seen.rows[row]!;
        expect(task).toBe(tasks[0]);
        expect(timestamp).toBeCloseTo(timestampsS[frame]!, 5);
        const width = action.length / 2;
        const stored = columns.action as Float32Array;
        expect(action.slice(0, width)).toBeAllClose([...stored.subarray(frame * width, (frame + 1) * width)]);
        expect([grey[1]]).toBeAllClose([greys[frame]!], { absolute: 2, relative: 0 });
      }
    }
  });
});
