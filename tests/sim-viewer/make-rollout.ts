import { createRng } from "#core/rng.ts";
import type { RolloutLog } from "#world/scene/rollout-log.ts";
import type { Geom, Scene } from "#world/scene/scene.ts";

/** @file A plausible rollout without physics: a table, four blocks, and a rod that pushes the first one over the table. */

const block = (name: string, body: number, rgb: readonly [number, number, number]): Geom => ({
  name,
  type: "box",
  size: [0.02, 0.02, 0.015],
  material: { rgba: [...rgb, 1] },
  body,
});

const scene: Scene = {
  geoms: [
    {
      name: "table",
      type: "box",
      size: [0.3, 0.25, 0.02],
      material: { rgba: [0.62, 0.43, 0.27, 1], texture: { kind: "wood", rgb: [0.45, 0.3, 0.18], repeat: 4, seed: 7 } },
      body: 0,
    },
    block("red block", 1, [0.8, 0.2, 0.18]),
    block("blue block", 2, [0.18, 0.36, 0.78]),
    { ...block("green block", 3, [0.2, 0.6, 0.3]), type: "cylinder", size: [0.02, 0.015] },
    block("yellow block", 4, [0.9, 0.75, 0.2]),
    { name: "rod", type: "cylinder", size: [0.01, 0.05], material: { rgba: [0.25, 0.27, 0.3, 1] }, body: 5 },
    { name: "rod cap", type: "sphere", size: [0.016], material: { rgba: [0.9, 0.4, 0.1, 1] }, body: 5 },
  ],
  cameras: [
    { name: "front", fovyDeg: 45 },
    { name: "top", fovyDeg: 50 },
  ],
  lights: [{ direction: [0.3, 0.25, -0.92], intensity: 0.7, castsShadow: true }],
  ambient: 0.35,
  background: [0.72, 0.78, 0.84],
};

/** Poses of the two cameras: front, looking down at the table; and straight from above. */
const cameras = [0, -0.62, 0.5, Math.sin(0.45), 0, 0, Math.cos(0.45), 0, 0, 0.75, 0, 0, 0, 1];

type Vector = [number, number, number];
const upright = [0, 0, 0, 1] as const;

export type RolloutOptions = {
  readonly seed?: number;
  readonly frames?: number;
  readonly success?: boolean;
  readonly policyId?: string;
  readonly instance?: string;
  readonly videos?: Readonly<Record<string, string>>;
};

/** Makes a log of `frames` ticks at 10 Hz; the rod pushes the red block to the blue one, or past it. */
export function makeRollout(options: RolloutOptions = {}): RolloutLog {
  const {
    seed = 1,
    frames = 40,
    success = true,
    policyId = "expert",
    instance = `instance-${seed}`,
    videos = {},
  } = options;
  const rng = createRng(seed);
  const goal: Vector = [rng.uniform(0.05, 0.18), rng.uniform(0.02, 0.15), 0.015];
  const start: Vector = [rng.uniform(-0.2, -0.1), rng.uniform(-0.15, 0), 0.015];
  const others: Vector[] = [
    [rng.uniform(-0.2, -0.05), rng.uniform(0.1, 0.18), 0.015],
    [rng.uniform(0.1, 0.22), rng.uniform(-0.18, -0.08), 0.015],
  ];
  const miss = success ? 0 : 0.11;
  const geomPoses: number[] = [];
  const actions: number[] = [];
  let before: Vector | null = null;
  for (let frame = 0; frame < frames; frame++) {
    const share = frames > 1 ? frame / (frames - 1) : 0;
    const pushed = Math.max(0, (share - 0.35) / 0.65);
    const red: Vector = [
      start[0] + pushed * (goal[0] - 0.05 - start[0] + miss),
      start[1] + pushed * (goal[1] - start[1] - miss),
      0.015,
    ];
    const lead = Math.min(1, share / 0.35);
    const rod: Vector = [
      red[0] - 0.032 - 0.1 * (1 - lead),
      red[1] - 0.02 + 0.12 * (1 - lead) * Math.cos(4 * share),
      0.06,
    ];
    const turn = pushed * 0.6;
    const places: [Vector, readonly number[]][] = [
      [[0, 0, -0.02], upright],
      [red, [0, 0, Math.sin(turn / 2), Math.cos(turn / 2)]],
      [goal, upright],
      [others[0]!, upright],
      [others[1]!, upright],
      [rod, upright],
      [[rod[0], rod[1], 0.115], upright],
    ];
    for (const [position, rotation] of places) geomPoses.push(...position, ...rotation);
    if (before) actions.push(rod[0] - before[0], rod[1] - before[1]);
    before = rod;
  }
  actions.push(0, 0);
  return {
    version: 1,
    instance: {
      hash: instance,
      suite: "push",
      embodiment: "pusher",
      task: "block-to-block",
      instruction: ["push the red block to the blue block", "move the red cube next to the blue cube"][seed % 2]!,
      split: seed % 3 === 0 ? "unseen-pairs" : "seen",
      seed,
      goal: {},
      initial: {},
    },
    policyId,
    rateHz: 10,
    frames,
    scene,
    geomPoses: Float32Array.from(geomPoses),
    cameraPoses: Float32Array.from({ length: frames * cameras.length }, (_, index) => cameras[index % cameras.length]!),
    actions: Float32Array.from(actions),
    actionNames: ["dx", "dy"],
    controls: new Float64Array(2 * (frames - 1)),
    stateDigest: "",
    success,
    reasons: success
      ? ["red block is 0.041 m from blue block (at most 0.05)"]
      : ["red block is 0.118 m from blue block (at most 0.05)", "time limit of 40 steps reached"],
    videos,
  };
}
