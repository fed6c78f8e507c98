import { describe, expect, it } from "@jest/globals";
import { planarDelta, type RolloutResult, randomPolicy, summariseRollouts, zeroPolicy } from "#world/index.ts";

const result = (index: number, more: Partial<RolloutResult>): RolloutResult => ({
  index,
  hash: `${index}`,
  task: "reach",
  instruction: "",
  split: "seen",
  success: false,
  reasons: [],
  steps: 10,
  unstable: false,
  ...more,
});

describe("summariseRollouts", () => {
  it("counts per task, leaves unstable rollouts out and gathers reasons whatever their lengths", () => {
    const summary = summariseRollouts([
      result(0, { success: true }),
      result(1, { reasons: ["the tip is 13 mm from the red cylinder"] }),
      result(2, {
        task: "separate",
        reasons: ["the tip is 27 mm from the red cylinder", "the blue cube left the view"],
      }),
      result(3, { unstable: true }),
    ]);
    expect(summary.success).toMatchObject({ successes: 1, count: 3 });
    expect(summary.perTask.reach).toMatchObject({ successes: 1, count: 2, rate: 0.5 });
    expect(summary.perTask.separate).toMatchObject({ successes: 0, count: 1 });
    expect(summary.unstable).toBe(1);
    expect(summary.reasons).toEqual([
      { reason: "the tip is some way from the red cylinder", count: 2 },
      { reason: "the blue cube left the view", count: 1 },
    ]);
  });
});

describe("policies that know nothing", () => {
  const observation = { images: {}, instruction: "go", stampNs: 7n, state: Float32Array.of(0.1) };

  it("stand still or move at random within the limits, the same for the same observation", async () => {
    const zero = await zeroPolicy({ space: planarDelta, chunkLength: 3 }).infer(observation);
    expect([...zero.actions]).toEqual([0, 0, 0, 0, 0, 0]);
    const policy = randomPolicy({ space: planarDelta, seed: 1, chunkLength: 200 });
    const { actions } = await policy.infer(observation);
    expect(Math.max(...actions)).toBeLessThanOrEqual(0.03);
    expect(Math.min(...actions)).toBeGreaterThanOrEqual(-0.03);
    expect(Math.max(...actions)).toBeGreaterThan(0.028);
    expect((await policy.inferBatch([{ ...observation, stampNs: 8n }, observation]))[1]!.actions).toEqual(actions);
    const other = await randomPolicy({ space: planarDelta, seed: 2, chunkLength: 200 }).infer(observation);
    expect(other.actions).not.toEqual(actions);
  });
});
