import { describe, expect, it } from "@jest/globals";
import { type RobotCell, robotArms, splitEpisodes } from "#benchmarks/lapa/real-robots.ts";
import { compare, spreadOf } from "#benchmarks/lapa/real-robots-errors.ts";
import { realRobotsResult } from "#benchmarks/lapa/real-robots-result.ts";
import { finetuneConfig, type PolicyModel } from "#lapa/finetune/index.ts";
import { fitActionStatistics } from "../../../lapa/finetune/statistics.ts";

describe("how far said actions are from recorded ones", () => {
  const length = 200;
  // One dimension from -1 to 1, one that never changes.
  const recorded = Float32Array.from({ length: 2 * length }, (_, at) => (at % 2 === 0 ? at / (length - 1) - 1 : 7));
  const { head } = finetuneConfig.parse({ head: { chunkLength: 2 } });
  const model = { head, ...fitActionStatistics(recorded, ["moves", "stays"], { head, ignore: [] }) };
  const chunk = (frame: number, by = 0) =>
    Float32Array.from({ length: 4 }, (_, at) => (recorded[2 * frame + at] ?? 0) + by);
  const measure = (by: number) => {
    const asked = [0, 50, 100, 150];
    const said = asked.map((frame) => chunk(frame, by));
    return compare(model as Pick<PolicyModel, "tokenizer" | "head">, recorded, { asked, said, spread: [0.5, 0] });
  };

  it("is nothing for the recorded actions themselves", () => {
    expect(measure(0)).toMatchObject({ actionError: 0, binAccuracy: 1 });
  });

  it("is the distance in standard deviations; the dimension that never changes counts for nothing", () => {
    const { actionError, binAccuracy, constantError } = measure(0.2);
    expect(actionError).toBeCloseTo(0.4, 5);
    expect(binAccuracy).toBeLessThan(0.3);
    expect(constantError).toBeCloseTo(1, 1);
  });

  it("knows how far every dimension spreads, also one that seldom moves", () => {
    const seldom = Float32Array.from({ length: 400 }, (_, at) => (at === 100 ? 1 : 0));
    const clips = [{ frames: 400 }];
    const [spread] = spreadOf({ recorded: [{ actions: seldom }], frames: { clips } } as never, [0]);
    expect(spread).toBeCloseTo(0.05, 3);
    expect(spreadOf({ recorded: [{ actions: seldom.map(() => 3) }], frames: { clips } } as never, [0])).toEqual([0]);
  });

  it("does not count what lies past the episode's end", () => {
    const last = length - 1;
    const said = [Float32Array.of(recorded[2 * last]!, 7, 99, 99)];
    expect(compare(model as never, recorded, { asked: [last], said, spread: [0.5, 0] }).actionError).toBe(0);
  });
});

describe("which episodes teach", () => {
  const data = {
    frames: { clips: Array.from({ length: 40 }, (_, clip) => ({ hash: `h${(clip * 7) % 40}` })) },
  } as never;

  it("measures the same episodes under every seed and teaches none of them", () => {
    const [zero, one] = [splitEpisodes(data, 15, 0), splitEpisodes(data, 15, 1)];
    expect(one.measured).toEqual(zero.measured);
    expect(one.teaching).not.toEqual(zero.teaching);
    expect(new Set([...zero.measured, ...zero.teaching]).size).toBe(40);
    expect(zero.measured.filter((clip) => zero.teaching.includes(clip))).toEqual([]);
  });
});

describe("the result of a grid that is not whole", () => {
  const cell = (arm: RobotCell["arm"], seed: number, error: number): RobotCell => ({
    ...{ robot: "cr5", arm, episodes: 10, seed, minutes: 1 },
    errors: [1, 2, 3, 4].map((episode) => ({
      episode,
      actionError: error + 0.01 * episode,
      binAccuracy: 0.1,
      constantError: 0.5,
    })),
  });
  const cells = [cell("scratch", 0, 0.4), cell("scratch", 1, 0.42), cell("human videos", 0, 0.35)];
  const missing = [{ robot: "cr5", arm: robotArms[2], episodes: 10, seed: 0 }] as const;
  const { summary, rows } = realRobotsResult(cells, missing, { command: "bench", seeds: [0, 1], steps: {} });

  it("pairs arms over the seeds that both have, episode by episode, and names what is missing", () => {
    const group = summary["cr5-10"] as Record<string, Record<string, unknown>>;
    expect(group["human videos"]!.minusScratch).toEqual({ difference: -0.05, low: -0.05, high: -0.05, seeds: 1 });
    expect(group.scratch).toMatchObject({ actionError: 0.435, seeds: 2 });
    expect(summary.missing).toEqual(["cr5-own-videos-10-0"]);
    expect(rows).toHaveLength(3);
  });
});
