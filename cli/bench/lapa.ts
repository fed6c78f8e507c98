import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type CellRow, measureCell } from "#benchmarks/lapa/closed-loop/cell.ts";
import { arms, type BenchSuite, benchSuites, scales, settings } from "#benchmarks/lapa/closed-loop/design.ts";
import { keepIn } from "#benchmarks/lapa/closed-loop/kept.ts";
import { closedLoopResult } from "#benchmarks/lapa/closed-loop/result.ts";
import { type Result, readResult, writeResult } from "#core/results.ts";
import { writeWhole } from "#core/write-whole.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openEngine } from "../training.ts";
import { drawLapaPlot } from "./lapa-plot.ts";

const numbers = (fallback: number[]) => z.array(z.number().nonnegative()).default(fallback);

/** Cells that are in the result file already, but for those that this call measures. */
function earlierCells(out: string, suite: BenchSuite, measured: readonly CellRow[]): CellRow[] {
  const path = join(out, `lapa-${suite}.json`);
  if (out === "" || !existsSync(path)) return [];
  const key = ({ scale, setting, arm, labelled, seed }: CellRow) => [scale, setting, arm, labelled, seed].join(" ");
  const fresh = new Set(measured.map(key));
  const rows = readResult(path).rows.filter(({ kind }) => kind === "cell") as unknown as CellRow[];
  return rows.map(({ ...row }) => row).filter((row) => !fresh.has(key(row)));
}

export const benchLapa = defineCommand({
  summary: "LAPA in closed loop against Scratch, VPT and ActionVLA; goes on where it stopped, cell by cell",
  config: z.strictObject({
    suite: z
      .enum(Object.keys(benchSuites) as [BenchSuite, ...BenchSuite[]])
      .default("push")
      .describe("tasks"),
    settings: z
      .array(z.enum(settings))
      .default([...settings])
      .describe("what the videos show"),
    arms: z
      .array(z.enum(arms))
      .default([...arms])
      .describe("what is compared"),
    labelShares: numbers([0.05]).describe("shares of the videos whose actions are known"),
    seeds: numbers([0, 1, 2]).describe("seeds of data, weights and tasks"),
    scale: z
      .enum(Object.keys(scales) as [keyof typeof scales])
      .default("full")
      .describe("smoke: proves nothing"),
    folder: z.string().default("runs/bench-lapa").describe("where everything trained is kept"),
    engine: engineConfig.prefault({}),
    plot: z.string().default("docs/images").describe("folder of the result's picture; empty: none is drawn"),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench lapa --settings in-domain --arms lapaImproved --seeds 0",
  async run(
    { suite, settings: chosen, arms: wanted, labelShares, seeds, scale: name, folder, engine, plot, out },
    context,
  ) {
    const scale = scales[name];
    const executor = await openEngine(engine, context);
    const { signal, commandLine: command } = context;
    const { info: log } = context.log;
    const cells: CellRow[] = [];
    let result: Result | undefined;
    try {
      for (const seed of seeds) {
        const root = join(folder, `${suite}-${name}`, `seed-${seed}`);
        const run = {
          suite,
          scaleName: name,
          scale,
          seed,
          executor,
          signal,
          command,
          log,
          kept: keepIn(root, log),
          cache: join(root, "frames"),
        };
        for (const setting of chosen) {
          for (const share of labelShares) {
            const labelled = Math.max(1, Math.round(share * scale.videos));
            for (const arm of wanted) {
              cells.push(await measureCell(run, root, { setting, arm, labelled }));
              // Written after every cell: a long run loses nothing of what it measured.
              result = closedLoopResult(suite, [...earlierCells(out, suite, cells), ...cells], { command, ...scale });
              if (out !== "") writeResult(out, result);
            }
          }
        }
      }
    } finally {
      await executor.dispose();
    }
    const picture = plot === "" || result === undefined ? undefined : drawLapaPlot(result);
    if (picture !== undefined) writeWhole(join(plot, `lapa-${suite}.svg`), picture);
    for (const [what, line] of Object.entries(result?.summary ?? {})) context.print(`${what}: ${JSON.stringify(line)}`);
    context.result(result);
  },
});
