import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { ActionSpace } from "#core/contracts/action.ts";
import type { BatchPolicy } from "#core/contracts/policy.ts";
import { createExecutor, type Executor } from "#engine/index.ts";
import {
  createPlannerPolicy,
  inverseDynamicsConfig,
  openInverseModel,
  openVideoPlanner,
  type PlannerPolicyOptions,
  trainInverseDynamics,
  trainVideoPlanner,
  videoPlannerConfig,
} from "#lapa/finetune/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";
import { smallQuantizer } from "../../quantizer/moving-squares.ts";

const size = 16;
const frames = 4;

/** A square that goes right or left by two pixels per frame, as its caption says, from one of three places. */
function told({ captions = ["push left", "push right"] } = {}): VideoData {
  const clips = Array.from({ length: 12 }, (_, clip) => clip);
  const sideOf = (clip: number) => 2 * (clip % 2) - 1;
  const info = {
    ...{ path: "memory", format: "memory", fps: 10, robotType: "none", episodes: 12, frames: 48, features: {} },
    metadata: { actionSpace: { kind: "planar-delta" } },
  };
  const read = (clip: number, frame: number, out: Uint8Array, offset: number) => {
    out.fill(30, offset, offset + size * size * 3);
    const left = 5 + (clip % 3) + sideOf(clip) * frame;
    for (let y = 6; y < 10; y++) out.fill(230, offset + (y * size + left) * 3, offset + (y * size + left + 4) * 3);
  };
  return {
    frames: {
      ...{ size, read },
      clips: clips.map((clip) => ({
        ...{
          name: `clip ${clip}`,
          path: `clip ${clip}`,
          frames,
          hash: String(clip),
          caption: captions[clip % 2] ?? "",
        },
        timestampsS: Float64Array.from({ length: frames }, (_, frame) => frame / 10),
      })),
    },
    recorded: clips.map((episode) => ({
      ...{ dataset: info, episode, states: undefined },
      actions: new Float32Array(frames).fill(0.01 * sideOf(episode)),
    })),
    heldOut: clips.map(() => false),
    hash: "told",
  } as unknown as VideoData;
}

const space: ActionSpace = {
  ...{ kind: "planar-delta", names: ["x"], units: ["m/step"], limits: { low: [-1], high: [1] } },
};
const model = { ...smallQuantizer, codesPerStep: 3 };
const planning = videoPlannerConfig.parse({
  ...{ model: { ...model, decoderDepth: 2 }, offsetS: 0.2, steps: 500, batch: 16, learningRate: 5e-3, augment: 0 },
});
const inverting = inverseDynamicsConfig.parse({
  ...{ model, offsetS: 0.2, steps: 150, batch: 16, learningRate: 4e-3, augment: 0, polarity: false, shiftPixels: 0 },
});

let executor: Executor;
let folder: string;
let options: PlannerPolicyOptions;
let policy: BatchPolicy;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "armature-planner-"));
  const run = (name: string) => ({ executor, folder: join(folder, name), command: "" });
  await trainVideoPlanner(told(), planning, run("planner"));
  await trainInverseDynamics(told(), inverting, run("inverse"));
  const planner = await openVideoPlanner(join(folder, "planner"));
  const inverse = await openInverseModel(join(folder, "inverse"));
  options = { planner, inverse, space, camera: "front", rateHz: 10, executor, batch: 4 };
  policy = createPlannerPolicy(options);
}, 120_000);
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true });
});

/** The first frame of a clip under an instruction. */
function seen(clip: number, instruction: string, side = size) {
  const data = new Uint8Array(size * size * 3);
  told().frames.read(clip, 0, data, 0);
  return { images: { front: { data, height: side, width: side } }, instruction, stampNs: 7n };
}

describe("the planner policy", () => {
  it("does what leads to the frame that the words ask for, in equal steps until then", async () => {
    const chunks = await policy.inferBatch(
      [0, 1, 2, 3, 4, 5].map((clip) => seen(clip, clip < 3 ? "push left" : "push right")),
    );
    expect(chunks.map(({ actions }) => Math.sign(actions[0]!))).toEqual([-1, -1, -1, 1, 1, 1]);
    for (const { actions, length, stampNs } of chunks) {
      expect([length, actions.length, stampNs]).toEqual([2, 2, 7n]);
      expect(actions[1]).toBe(actions[0]);
      expect(Math.abs(Math.abs(actions[0]!) - 0.01)).toBeLessThan(0.006);
    }
  });

  it("refuses a picture of another size, and words that it has no room for", async () => {
    await expect(policy.infer(seen(0, "push left", 8))).rejects.toThrow(
      'policy: needs camera "front" as 16 x 16 pixels, got 8 x 8. Resize it.',
    );
    await expect(policy.infer(seen(0, "push it far left"))).rejects.toThrow("must have at most 3 words, got 4");
  });

  it("is not made of models that look ahead differently, nor for places", () => {
    const other = { ...options.inverse, config: { ...inverting, offsetS: 0.4 } };
    expect(() => createPlannerPolicy({ ...options, inverse: other })).toThrow(
      "both models must look 0.2 s ahead at 16 pixels, got an inverse model of 0.4 s at 16 pixels",
    );
    expect(() => createPlannerPolicy({ ...options, space: { ...space, kind: "joint-position" } })).toThrow(
      "actions must be deltas or velocities, got joint-position",
    );
  });
});

describe("trainVideoPlanner", () => {
  it("refuses videos that nobody described", async () => {
    const run = { executor, folder: join(folder, "mute"), command: "" };
    await expect(trainVideoPlanner(told({ captions: [] }), planning, run)).rejects.toThrow(
      "videos: must have captions",
    );
  });
});
