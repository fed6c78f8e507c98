/** @file The server side of the bridge judged by roslibpy, which knows nothing of it. Skipped where it is not installed. */
import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { simulateArm } from "#robot-bridge/simulate.ts";
import { KinematicPlant } from "../../doubles/kinematic-plant.ts";

const isInstalled = spawnSync("python3", ["-c", "import roslibpy"]).status === 0;
const script = fileURLToPath(new URL("./roslibpy_client.py", import.meta.url));

(isInstalled ? describe : describe.skip)("roslibpy (pip install roslibpy)", () => {
  it("sees, asks, moves and stops the simulated arm", async () => {
    const plant = new KinematicPlant();
    const sim = await simulateArm({ plant, port: 0, pictureSize: 16 });
    try {
      const { stdout } = await promisify(execFile)("python3", [script, new URL(sim.url).port], { timeout: 60_000 });
      const seen = JSON.parse(stdout) as Record<string, unknown>;
      expect(seen).toMatchObject({
        connected: true,
        names: plant.names,
        instruction: "go",
        picture: { format: "png", start: "iVBORw0KGgoA" },
        topics: expect.arrayContaining(["/joint_states", "/camera/front/compressed", "/task/instruction"]),
        reset: { episode: 1 },
        status: {
          estop: true,
          commands: { accepted: 1, executed: 1, executedUnstamped: 1, executedTooOld: 0, refused: { "too old": 1 } },
        },
      });
      expect(Math.abs(Number(seen.time) - Date.now() / 1000)).toBeLessThan(60);
      expect(seen.movedRad).toBeCloseTo(0.1, 2);
    } finally {
      await sim.close();
    }
  });
});
