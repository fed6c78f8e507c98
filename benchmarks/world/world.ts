/**
 * @file How fast and how good the simulated world is: physics and frames against MuJoCo's own Python package on the same
 * model and core, the closed loop, data per minute, and what the experts solve. Rates are per second of processor time, so
 * that a machine that others use slows both sides alike.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createResult, type Result } from "#core/results.ts";
import {
  createWorld,
  drawInstance,
  drawInstances,
  evaluateExpert,
  evaluatePolicy,
  findSuite,
  pickPlacePresets,
  planarDelta,
  pushPresets,
  type SuiteConfig,
  simulateEpisodes,
  summariseRollouts,
  writeDemonstrations,
  zeroPolicy,
} from "#world/index.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { Simulation } from "#world/physics/simulation.ts";
import { createRasterizer } from "#world/raster/index.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";
import { TabletopSimulation } from "#world/tabletop/simulation.ts";
import { type Measured, measureNative, type NativeJob } from "./native.ts";

export type WorldBenchmark = {
  /** Alternated rounds of ours and theirs. */
  readonly rounds: number;
  readonly secondsPerLap: number;
  /** Episodes written as a data set. */
  readonly episodes: number;
  /** Rollouts of the expert per suite preset and body. */
  readonly rollouts: number;
  /** Resets in a row while memory is watched. */
  readonly resets: number;
  readonly command: string;
  readonly log: (line: string) => void;
};

type Row = Record<string, unknown> & { readonly what: string };

const rate = ({ count, processorSeconds }: Measured) => count / processorSeconds;
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function measure(seconds: number, batch: number, once: (index: number) => void): Measured {
  for (let index = 0; index < 50; index++) once(index);
  const start = performance.now();
  const before = process.cpuUsage();
  let count = 0;
  for (; performance.now() - start < 1000 * seconds; count++) once(count);
  const { user, system } = process.cpuUsage(before);
  return { count: count * batch, seconds: (performance.now() - start) / 1000, processorSeconds: (user + system) / 1e6 };
}

const scenes: readonly (readonly [name: string, suite: SuiteConfig, embodiment: string])[] = [
  ["push with a pusher", pushPresets["language-table"], "pusher"],
  ["push with an arm", pushPresets["language-table"], "arm"],
  ["pick-place with a WidowX", pickPlacePresets["pick-place"], "widowx"],
];

/** A scene in its start state with an expert's actuator targets, for both sides. */
async function prepare(suite: SuiteConfig, embodiment: string, seconds: number, size: number) {
  const simulation = new TabletopSimulation(await loadPhysics());
  const instance = drawInstance({ suite, embodiment, split: "train", seed: 1 });
  simulation.reset(instance);
  const { camera } = instance.initial as TabletopInitial;
  const [x, y, z, w] = camera.quaternion;
  const ctrl: number[][] = [];
  const expert = findSuite(suite.suite).expert(instance, "benchmark");
  const xml = simulation.modelText;
  const qpos = [...simulation.positions()];
  const { scene } = simulation;
  const pose = simulation.pose();
  for (let done = false; !done; ) {
    const { controls, progress } = simulation.advance(simulation.fromTool(expert.act(simulation.truth())));
    ctrl.push([...controls]);
    done = progress.done;
  }
  simulation.close();
  const job: NativeJob = {
    xml,
    qpos,
    ctrl,
    mocapPosition: camera.position,
    mocapQuaternion: [w, x, y, z],
    seconds,
    size,
  };
  return { job, scene, pose };
}

/** The same MJCF with what our pictures show too: a light that casts shadows, and a texture on the table. */
function lit({ xml, ...job }: NativeJob, shadowMapSize: number | undefined): NativeJob {
  const quality = shadowMapSize === undefined ? "" : `<visual><quality shadowsize="${shadowMapSize}"/></visual>`;
  const texture =
    '<texture name="grain" type="2d" builtin="checker" width="128" height="128" rgb1="0.7 0.7 0.7" rgb2="0.6 0.6 0.6"/>' +
    '<material name="grain" texture="grain" texrepeat="4 4"/>';
  const light = '<light pos="0.3 -0.3 1.5" dir="-0.2 0.2 -1" directional="true" castshadow="true"/>';
  return {
    ...job,
    xml: xml
      .replace("<asset>", `${quality}<asset>${texture}`)
      .replace("<asset/>", `${quality}<asset>${texture}</asset>`)
      .replace("<worldbody>", `<worldbody>${light}`)
      .replace('name="table"', 'name="table" material="grain"'),
  };
}

/** Ours and theirs in turns. @returns medians of rates and of their ratio within a round */
function alternate(rounds: number, ours: () => Measured, theirs: () => Measured | undefined) {
  const own: number[] = [];
  const native: number[] = [];
  for (let round = 0; round < rounds; round++) {
    own.push(rate(ours()));
    const other = theirs();
    if (other) native.push(rate(other));
  }
  const hasNative = native.length === rounds;
  return {
    ours: median(own),
    native: hasNative ? median(native) : undefined,
    ratio: hasNative ? median(own.map((value, round) => value / native[round]!)) : undefined,
  };
}

async function physicsRows({ rounds, secondsPerLap, log }: WorldBenchmark): Promise<Row[]> {
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
    const found = alternate(rounds, steps, () => measureNative("physics", job));
    simulation.close();
    log(`physics, ${scene}: ${Math.round(found.ours)} steps/s, ${found.ratio?.toFixed(2) ?? "?"} of native`);
    rows.push({ what: "physics steps per processor second", scene, ...found });
  }
  return rows;
}

/** Four samples per pixel on both sides, one directional light with shadows, a textured table. */
async function frameRows({ rounds, secondsPerLap, log }: WorldBenchmark): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, suite, embodiment] of scenes) {
    for (const size of [64, 128, 224]) {
      const { job, scene, pose } = await prepare(suite, embodiment, secondsPerLap, size);
      const rasterizer = createRasterizer(scene, { width: size, height: size });
      const draw = () => measure(secondsPerLap, 1, () => rasterizer.render(pose, 0));
      const found = alternate(rounds, draw, () => measureNative("render", lit(job, undefined)));
      const alike = alternate(rounds, draw, () => measureNative("render", lit(job, 256)));
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

async function loopRow({ log }: WorldBenchmark): Promise<Row> {
  const instances = drawInstances({ suite: pushPresets.demo, embodiment: "pusher", split: "seen", seed: 1, count: 64 });
  const start = performance.now();
  const results = await evaluatePolicy({ instances, policy: zeroPolicy({ space: planarDelta, size: 64 }) });
  const seconds = (performance.now() - start) / 1000;
  const perSecond = results.reduce((sum, { steps }) => sum + steps, 0) / seconds;
  log(`closed loop with 64 px pictures: ${Math.round(perSecond)} control steps/s`);
  return {
    what: "closed-loop control steps per second, two threads, a policy that costs nothing",
    size: 64,
    ours: perSecond,
  };
}

async function dataRow({ episodes, log }: WorldBenchmark): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "armature-data-"));
  const start = performance.now();
  const suite = pushPresets["language-table"];
  const stream = simulateEpisodes({ suite, embodiment: "arm", episodes, seed: 1, size: 128 });
  const { frames } = await writeDemonstrations(stream, { directory: join(folder, "set") });
  const seconds = (performance.now() - start) / 1000;
  rmSync(folder, { recursive: true });
  const perMinute = (60 * episodes) / seconds;
  log(`data set with 128 px video: ${perMinute.toFixed(0)} episodes/min`);
  return {
    what: "labelled episodes with video per minute, two threads",
    size: 128,
    episodes,
    frames,
    seconds,
    ours: perMinute,
  };
}

async function expertRows({ rollouts, log }: WorldBenchmark): Promise<Row[]> {
  const rows: Row[] = [];
  const cells: readonly (readonly [string, Readonly<Record<string, SuiteConfig>>, readonly string[]])[] = [
    ["push", pushPresets, ["pusher", "arm", "hand"]],
    ["pick-place", pickPlacePresets, ["widowx", "panda", "hand"]],
  ];
  for (const [suite, presets, bodies] of cells) {
    for (const [preset, config] of Object.entries(presets)) {
      for (const embodiment of bodies) {
        const instances = drawInstances({ suite: config, embodiment, split: "seen", seed: 90, count: rollouts });
        const { success, unstable } = summariseRollouts(await evaluateExpert({ instances }));
        log(`expert, ${preset}, ${embodiment}: ${success.successes} of ${success.count}`);
        rows.push({ what: "expert", suite, preset, embodiment, ...success, unstable });
      }
    }
  }
  return rows;
}

async function memoryRow({ resets, log }: WorldBenchmark): Promise<Row> {
  const world = await createWorld({ size: 16 });
  const used = () => process.memoryUsage().rss / 2 ** 20;
  const run = (from: number, count: number) => {
    for (let seed = from; seed < from + count; seed++) {
      const embodiment = ["pusher", "arm", "hand"][seed % 3]!;
      world.reset(drawInstance({ suite: pushPresets["language-table"], embodiment, split: "train", seed }));
      world.advance(new Float32Array(2));
    }
  };
  const warm = Math.min(1000, Math.ceil(resets / 10));
  run(0, warm);
  const before = used();
  run(warm, resets - warm);
  const grownMb = used() - before;
  world.close();
  log(`memory over ${resets} resets: ${grownMb.toFixed(1)} MB more`);
  return { what: "resident memory after resets, MB more than after the first tenth", resets, grownMb };
}

export async function benchmarkWorld(options: WorldBenchmark): Promise<Result> {
  const rows: Row[] = [
    ...(await physicsRows(options)),
    ...(await frameRows(options)),
    await loopRow(options),
    await dataRow(options),
    ...(await expertRows(options)),
    await memoryRow(options),
  ];
  const find = (wanted: Record<string, unknown>) =>
    rows.filter((row) => Object.entries(wanted).every(([key, value]) => row[key] === value));
  const value = (wanted: Record<string, unknown>, key: string) => median(find(wanted).map((row) => row[key] as number));
  const rateOf = (suite: string) => {
    const found = find({ what: "expert", suite });
    const sum = (key: string) => found.reduce((total, row) => total + (row[key] as number), 0);
    return sum("successes") / sum("count");
  };
  const frames = { what: "frames per processor second", size: 128 };
  return createResult({
    name: "world",
    claim:
      "Physics at least 0.6 of native MuJoCo; frames of 128 px at least 3 times OSMesa's and 250 a second and core; " +
      "at least 134 labelled episodes with video a minute on two cores; experts solve at least 95 %; memory flat.",
    command: options.command,
    seeds: [1, 90],
    rows,
    summary: {
      physicsVsNative: value({ what: "physics steps per processor second" }, "ratio"),
      framesVsOsmesa: value(frames, "ratio"),
      framesVsOsmesaSameShadows: value(frames, "ratioSameShadows"),
      framesPerSecond128: value(frames, "ours"),
      episodesPerMinute: value({ what: "labelled episodes with video per minute, two threads" }, "ours"),
      expertPush: rateOf("push"),
      expertPickPlace: rateOf("pick-place"),
      memoryGrownMb: value({ what: "resident memory after resets, MB more than after the first tenth" }, "grownMb"),
    },
  });
}
