/** @file What the experts solve, and whether memory stays flat. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  createWorld,
  drawInstance,
  drawInstances,
  evaluateExpert,
  pickPlacePresets,
  pushPresets,
  type SuiteConfig,
  summariseRollouts,
} from "#world/index.ts";
import type { Row } from "./measure.ts";

export type QualityOptions = {
  /** Rollouts of the expert per suite preset and body. */
  readonly rollouts: number;
  /** Resets in a row while memory is watched. */
  readonly resets: number;
  readonly log: (line: string) => void;
};

/** The suites of a table: presets and the bodies that play them. */
const suites: readonly (readonly [string, Readonly<Record<string, SuiteConfig>>, readonly string[]])[] = [
  ["push", pushPresets, ["pusher", "arm", "hand"]],
  ["pick-place", pickPlacePresets, ["widowx", "panda", "hand"]],
];

/** The expert on tasks of the seen split, per preset and body, with a 95 % Wilson interval. */
export async function expertRows({ rollouts, log }: QualityOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [suite, presets, bodies] of suites) {
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

/** JavaScript's and MuJoCo's memory in use after a collection, MB. */
function usedMb(): number {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  // Twice: array buffers are let go in the second pass.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return (heapUsed + external + arrayBuffers) / 2 ** 20;
}

/** Every body of every suite in turn, models compiled and freed, a picture of every tenth. */
export async function memoryRow({ resets, log }: QualityOptions): Promise<Row> {
  const world = await createWorld({ size: 16 });
  const stages = suites.flatMap(([, presets, bodies]) =>
    Object.values(presets).flatMap((suite) => bodies.map((embodiment) => ({ suite, embodiment }))),
  );
  const run = (from: number, count: number) => {
    for (let seed = from; seed < from + count; seed++) {
      // Several episodes of a kind in a row, as a benchmark plays them; each drops the oldest compiled model.
      const stage = stages[Math.floor(seed / 20) % stages.length]!;
      world.start(drawInstance({ ...stage, split: "train", seed }));
      if (seed % 10 === 0) world.observe();
      world.advance(new Float32Array(world.actionSize));
    }
  };
  const warm = Math.ceil(resets / 10);
  run(0, warm);
  const [before, residentBefore] = [usedMb(), process.memoryUsage().rss / 2 ** 20];
  run(warm, resets - warm);
  const [grownMb, residentGrownMb] = [usedMb() - before, process.memoryUsage().rss / 2 ** 20 - residentBefore];
  world.close();
  log(`memory over ${resets} resets: ${grownMb.toFixed(1)} MB more in use, ${residentGrownMb.toFixed(1)} MB resident`);
  return { what: "memory after resets, MB more than after the first tenth", resets, grownMb, residentGrownMb };
}
