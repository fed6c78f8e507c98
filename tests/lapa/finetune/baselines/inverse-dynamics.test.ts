import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createExecutor, type Executor } from "#engine/index.ts";
import { guessActions, inverseDynamicsConfig, openInverseModel, trainInverseDynamics } from "#lapa/finetune/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";
import { movingSquares, smallQuantizer } from "../../quantizer/moving-squares.ts";

let executor: Executor;
let folder: string;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "armature-inverse-"));
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true });
});

const squares = movingSquares();
/** The squares' clips as recordings: dimension 0 is how far the square goes until the next frame, dimension 1 never moves. */
function recordedSquares(labelled = 8): VideoData {
  const { frames, truth } = squares;
  const info = {
    ...{ path: "memory", format: "memory", fps: 10, robotType: "none", episodes: 12, frames: 144, features: {} },
    metadata: { actionSpace: { kind: "planar-delta" } },
  };
  const stepOf = (clip: number, frame: number) => {
    const one = (value: number) => Int32Array.of(value);
    return truth({ length: 1, clip: one(clip), first: one(frame), second: one(frame + 1) }).values[0]!;
  };
  const recorded = frames.clips.map((clip, episode) =>
    episode >= labelled
      ? undefined
      : {
          ...{ dataset: info, episode, states: undefined },
          actions: Float32Array.from({ length: 2 * clip.frames }, (_, at) =>
            at % 2 === 0 ? stepOf(episode, at / 2) : 0.5,
          ),
        },
  );
  return { frames, recorded, heldOut: recorded.map(() => false), hash: "squares" } as unknown as VideoData;
}

const config = inverseDynamicsConfig.parse({
  ...{ model: smallQuantizer, offsetS: 0.2, steps: 250, batch: 16, learningRate: 4e-3, warmupSteps: 10 },
  ...{ augment: 0, polarity: false, shiftPixels: 1 },
});

describe("the inverse dynamics model", () => {
  it("learns from labelled clips what was done in clips that it never saw, in raw units", async () => {
    const path = join(folder, "model");
    const { metrics } = await trainInverseDynamics(recordedSquares(), config, { executor, folder: path, command: "" });
    expect(metrics.loss).toBeLessThan(0.3);
    const { heldOut, truth } = squares;
    const guessed = await guessActions(await openInverseModel(path), squares.frames, heldOut, { executor });
    const true_ = truth(heldOut).values;
    const [wrong, all] = [0, 1].map((isAll) =>
      true_.reduce((sum, value, pair) => sum + (value - (isAll ? 0 : guessed[2 * pair]!)) ** 2, 0),
    );
    expect(wrong! / all!).toBeLessThan(0.35);
    // What never changed is answered as it was: two frames of 0.5.
    expect([guessed[1], guessed[3]]).toBeAllClose([1, 1]);
  });

  it("refuses data without a single action", async () => {
    const how = { executor, folder: join(folder, "none"), command: "" };
    await expect(trainInverseDynamics(recordedSquares(0), config, how)).rejects.toThrow(
      "inverse dynamics: must have labelled clips to learn from, got none.",
    );
  });
});
