import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { type HostArray, mapTree, type Tree, tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import {
  drawFlowTime,
  type FlowHead,
  flowLoss,
  flowVelocity,
  initFlowHead,
  sampleFlow,
} from "#lapa/finetune/flow-head.ts";
import {
  type BackboneParameters,
  backboneConfig,
  initBackbone,
  promptTokens,
  readTokens,
} from "#lapa/latent-vla/index.ts";
import { smallModel } from "./small-data.ts";

const config = backboneConfig.parse({ ...smallModel, vocabularySize: 4 });
const given = {
  trunk: initBackbone(createRng(1), config),
  action: initFlowHead(createRng(2), config, { dimensions: 2, chunkLength: 3 }),
};
type Model = { trunk: BackboneParameters<tf.Tensor>; action: FlowHead<tf.Tensor> };
const onCpu = <T>(work: () => T): T => withBackend("cpu", () => tf.tidy(work as never)) as T;
const model = (change: (path: string, leaf: HostArray) => HostArray = (_, leaf) => leaf) =>
  mapTree(given as unknown as Tree<HostArray>, (leaf, path) => {
    const { data, shape } = change(path, leaf);
    return tf.tensor(data, [...shape]);
  }) as unknown as Model;
const cacheOf = ({ trunk }: Model) =>
  readTokens(trunk, config, promptTokens(trunk, config, tf.ones([1, 16, 16, 3]), tf.zeros([1, 4], "int32"))).cache;
const chunkOf = (values: number[]) => tf.tensor3d(values, [1, 3, 2]);
const velocity = (values: number[], time: number) =>
  onCpu(() => {
    const used = model();
    return Array.from(flowVelocity(used, config, cacheOf(used), chunkOf(values), tf.tensor1d([time])).dataSync());
  });
const noise = [0.3, -1, 0.5, 2, -0.4, 0.1];

/** The velocity everywhere is the bias of the last map. */
const still = (path: string, leaf: HostArray): HostArray => {
  if (path === "action.leave.weight") return { ...leaf, data: new Float32Array(leaf.data.length) };
  return path === "action.leave.bias" ? { ...leaf, data: Float32Array.of(2, -1) } : leaf;
};

describe("flowVelocity", () => {
  it("hears the time, and each action sees the others in both directions", () => {
    const before = velocity(noise, 0.2);
    expect(velocity(noise, 0.7)).not.toBeAllClose(before);
    const last = velocity([...noise.slice(0, 4), 3, 3], 0.2);
    expect(last.slice(0, 2)).not.toBeAllClose(before.slice(0, 2));
  });
});

describe("flowLoss", () => {
  it("is the mean squared distance to actions minus noise where the mask counts", () => {
    const loss = onCpu(() => {
      const used = model(still);
      const chunk = { actions: chunkOf([1, 1, 1, 1, 1, 1]), noise: chunkOf(noise), mask: chunkOf([1, 1, 0, 0, 1, 0]) };
      return flowLoss(used, config, cacheOf(used), { ...chunk, time: tf.tensor1d([0.5]) }).dataSync()[0]!;
    });
    expect(loss).toBeCloseTo((1.3 ** 2 + 3 ** 2 + 0.6 ** 2) / 3, 5);
  });
});

describe("sampleFlow", () => {
  it("moves noise along a constant velocity by exactly that velocity, in any number of steps", () => {
    for (const steps of [1, 4]) {
      const moved = onCpu(() => {
        const used = model(still);
        return Array.from(sampleFlow(used, config, cacheOf(used), chunkOf(noise), steps).dataSync());
      });
      expect(moved).toBeAllClose([2.3, -2, 2.5, 1, 1.6, -0.9]);
    }
  });

  it("is Euler's rule: two half steps", () => {
    const half = velocity(noise, 0).map((value, index) => noise[index]! + value / 2);
    const want = velocity(half, 0.5).map((value, index) => half[index]! + value / 2);
    const moved = onCpu(() => {
      const used = model();
      return Array.from(sampleFlow(used, config, cacheOf(used), chunkOf(noise), 2).dataSync());
    });
    expect(moved).toBeAllClose(want);
  });
});

describe("drawFlowTime", () => {
  it("prefers early times and stays below 1: mean 0.999 * 0.4", () => {
    const rng = createRng("times");
    const times = Array.from({ length: 20_000 }, () => drawFlowTime(rng));
    expect(Math.max(...times)).toBeLessThan(1);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(times.reduce((sum, time) => sum + time, 0) / times.length).toBeCloseTo(0.3996, 2);
  });
});
