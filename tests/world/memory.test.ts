import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { createWorld, drawInstance, type PushConfig, pushPresets, type SimulatedWorld } from "#world/index.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function usedMegabytes(): number {
  // Twice: array buffers are let go in the second pass.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return (heapUsed + external + arrayBuffers) / 2 ** 20;
}

describe("memory", () => {
  const play = (world: SimulatedWorld, suite: PushConfig, embodiment: string, seed: number) => {
    world.reset(drawInstance({ suite, embodiment, split: "train", seed }));
    world.advance(Float32Array.of(0.01, 0));
  };

  it("stays flat over hundreds of episodes", async () => {
    const world = await createWorld({ size: 16 });
    const many = (count: number, from: number) => {
      for (let seed = from; seed < from + count; seed++) {
        play(world, pushPresets["language-table"], ["pusher", "arm", "hand"][seed % 3]!, seed);
      }
    };
    many(45, 0);
    const before = usedMegabytes();
    many(120, 45);
    // As much as 50 kB left behind by each would be 6 MB.
    expect(usedMegabytes() - before).toBeLessThan(5);
    world.close();
  });

  it("stays flat while models come and go", async () => {
    const world = await createWorld({ size: 16 });
    const everyModel = (seed: number) => {
      for (const embodiment of ["pusher", "arm", "hand"]) {
        for (const preset of ["language-table", "language-table-8"] as const) {
          play(world, pushPresets[preset], embodiment, seed);
          play(world, pushPresets[preset], embodiment, seed + 1);
        }
      }
    };
    everyModel(0);
    everyModel(3);
    const before = usedMegabytes();
    for (const seed of [5, 8, 11]) everyModel(seed);
    // 36 models; one and its state are more than 1 MB.
    expect(usedMegabytes() - before).toBeLessThan(9);
    world.close();
  });
});
