/** @file How fast the world is: physics and frames against MuJoCo's Python package, the closed loop, data sets. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  drawInstances,
  evaluatePolicy,
  planarDelta,
  pushPresets,
  simulateEpisodes,
  writeDemonstrations,
  zeroPolicy,
} from "#world/index.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { Simulation } from "#world/physics/simulation.ts";
import { createRasterizer } from "#world/raster/index.ts";
import { alternate, measure, type Row } from "./measure.ts";
import { measureNative } from "./native.ts";
import { lit, prepare, scenes } from "./scenes.ts";

export type SpeedOptions = {
  /** Alternated rounds of ours and theirs. */
  readonly rounds: number;
  readonly secondsPerLap: number;
  /** Episodes written as a data set. */
  readonly episodes: number;
  /** A Python that has MuJoCo; without one, ours alone is measured. */
  readonly python: string | undefined;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

export async function physicsRows({ rounds, secondsPerLap, python, log }: SpeedOptions): Promise<Row[]> {
  const mujoco = await loadPhysics();
  const rows: Row[] = [];
  for (const [scene, suite, embodiment] of scenes) {
    const { job } = await prepare(suite, embodiment, secondsPerLap, 8);
    const simulation = new Simulation(mujoco, job.xml);
    const steps = () => {
      simulation.reset();
      simulation.setPositions(0, job.qpos);
      return measure(secondsPerLap, 20, (index) => simulation.hold(20, job.ctrl[index % job.ctrl.length]!));
    };
    const found = alternate(rounds, steps, () => measureNative(python, "physics", job));
    simulation.close();
    log(`physics, ${scene}: ${Math.round(found.ours)} steps/s, ${found.ratio?.toFixed(2) ?? "?"} of native`);
    rows.push({ what: "physics steps per processor second", scene, ...found });
  }
  return rows;
}

/** Four samples per pixel on both sides, one directional light with shadows, a textured table. */
export async function frameRows({ rounds, secondsPerLap, python, log }: SpeedOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, suite, embodiment] of scenes) {
    for (const size of [64, 128, 224]) {
      const { job, scene, pose } = await prepare(suite, embodiment, secondsPerLap, size);
      const rasterizer = createRasterizer(scene, { width: size, height: size });
      const draw = () => measure(secondsPerLap, 1, () => rasterizer.render(pose, 0));
      const found = alternate(rounds, draw, () => measureNative(python, "render", lit(job, undefined)));
      const alike = alternate(rounds, draw, () => measureNative(python, "render", lit(job, 256)));
      log(
        `frames, ${name}, ${size} px: ${Math.round(found.ours)}/s, ` +
          `${found.ratio?.toFixed(1) ?? "?"} times OSMesa's default, ${alike.ratio?.toFixed(1) ?? "?"} with as coarse shadows`,
      );
      const sameShadows = { nativeSameShadows: alike.native, ratioSameShadows: alike.ratio };
      rows.push({ what: "frames per processor second", scene: name, size, ...found, ...sameShadows });
    }
  }
  return rows;
}

export async function loopRow({ log }: SpeedOptions): Promise<Row> {
  const instances = drawInstances({ suite: pushPresets.demo, embodiment: "pusher", split: "seen", seed: 1, count: 64 });
  const start = performance.now();
  const results = await evaluatePolicy({ instances, policy: zeroPolicy({ space: planarDelta, size: 64 }) });
  const seconds = (performance.now() - start) / 1000;
  const perSecond = results.reduce((sum, { steps }) => sum + steps, 0) / seconds;
  log(`closed loop with 64 px pictures: ${Math.round(perSecond)} control steps/s`);
  return {
    what: "closed-loop control steps per second on all cores, a policy that costs nothing",
    size: 64,
    ours: perSecond,
  };
}

export async function dataRow({ episodes, log, signal }: SpeedOptions): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "armature-data-"));
  const start = performance.now();
  const suite = pushPresets["language-table"];
  const stream = simulateEpisodes({ suite, embodiment: "arm", episodes, seed: 1, size: 128, signal });
  const { frames } = await writeDemonstrations(stream, { directory: join(folder, "set"), signal }).finally(() =>
    rmSync(folder, { recursive: true }),
  );
  const seconds = (performance.now() - start) / 1000;
  const perMinute = (60 * episodes) / seconds;
  log(`data set with 128 px video: ${perMinute.toFixed(0)} episodes/min`);
  return {
    what: "labelled episodes with video per minute on all cores",
    size: 128,
    episodes,
    frames,
    seconds,
    ours: perMinute,
  };
}
