import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "@jest/globals";
import {
  addSuite,
  createWorld,
  drawInstances,
  evaluateExpert,
  evaluatePolicy,
  planarDelta,
  replayRollout,
  zeroPolicy,
} from "#world/index.ts";
import { rollSuite } from "./roll-suite.ts";

beforeAll(() => addSuite(rollSuite));

const draw = () => drawInstances({ suite: { suite: "roll" }, embodiment: "pusher", split: "seen", seed: 1, count: 8 });

describe("a suite in one file", () => {
  it("is drawn, played, judged, logged and replayed like any other", async () => {
    const instances = draw();
    expect(new Set(instances.map(({ hash }) => hash)).size).toBe(8);
    const results = await evaluateExpert({ instances, workers: 0, record: () => true });
    expect(results.filter(({ success }) => success).length).toBeGreaterThanOrEqual(7);
    expect((await replayRollout(results[0]!.log!)).isExact).toBe(true);
  });

  it("is not solved by standing still", async () => {
    const results = await evaluatePolicy({ instances: draw(), policy: zeroPolicy({ space: planarDelta }), workers: 0 });
    expect(results.every(({ success, reasons }) => !success && reasons[0] === "the ball is not there yet")).toBe(true);
  });

  it("is drawn by the camera", async () => {
    const world = await createWorld({ size: 48 });
    const { images, instruction } = world.reset(draw()[0]!);
    expect(instruction).toBe("roll the ball to the far side");
    const { data } = images.front!;
    const isGreen = (pixel: number) => data[3 * pixel + 1]! > 1.5 * data[3 * pixel]! && data[3 * pixel + 1]! > 40;
    expect(Array.from({ length: 48 * 48 }, (_, pixel) => pixel).filter(isGreen).length).toBeGreaterThan(5);
    world.close();
  });

  it("is the one that docs/world.md shows", () => {
    const docs = readFileSync(new URL("../../../docs/world.md", import.meta.url), "utf8");
    const code = readFileSync(new URL("./roll-suite.ts", import.meta.url), "utf8");
    const blocks = [...docs.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!.trim());
    const shown = blocks.filter((block) => block.includes("roll"));
    expect(shown.length).toBeGreaterThan(0);
    const normal = (text: string) => text.replace(/\s+/g, " ");
    for (const block of shown) {
      for (const part of block.split("// ...")) expect(normal(code)).toContain(normal(part).trim());
    }
  });
});
