import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { writeWhole } from "#core/write-whole.ts";
import {
  createQuantizerRunner,
  examineQuantizer,
  judgeExamination,
  openQuantizer,
  recordedTruth,
  splitPairs,
  videoDataConfig,
  videoPairs,
  withEyes,
} from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openData, openEngine } from "../training.ts";
import { renderEvaluation } from "./report.ts";
import { readTruth } from "./truth.ts";

export const evaluateQuantizerCommand = defineCommand({
  summary: "measures on clips left out whether the codes are actions, holds it against gates and writes a report",
  config: z.strictObject({
    quantizer: z.string().describe("run or checkpoint of a quantizer"),
    data: videoDataConfig.prefault({}),
    truth: z
      .string()
      .default("")
      .describe("folder of true motions (datasets simulate writes it); empty: the data sets' recorded actions"),
    pairs: z.number().int().positive().default(3000).describe("pairs of frames that are looked at, at most"),
    inverseModelSteps: z
      .number()
      .int()
      .min(0)
      .default(400)
      .describe("training steps of the inverse model that bounds the probes and judges pictures; 0: none"),
    report: z.string().default("").describe("HTML file to write; empty: evaluation.html in the run's folder"),
    engine: engineConfig.prefault({}),
  }),
  positionals: ["quantizer"],
  example: "quantizer evaluate runs/quantizer --data.videos data/videos --truth data/videos-truth",
  async run({ quantizer: path, data: where, truth: folder, engine, ...options }, context) {
    const quantizer = await openQuantizer(path);
    const data = await openData(where, quantizer.config.model.imageSize, context);
    const executor = await openEngine(engine, context);
    try {
      const { train, heldOut } = splitPairs(data, quantizer.config);
      // True motions are of the videos; recorded actions of the data sets.
      const measured = folder === "" ? undefined : readTruth(folder, data.frames.clips);
      const [fitted, kept] = measured
        ? [videoPairs(data, train.pairs), videoPairs(data, heldOut)]
        : [train.pairs, heldOut];
      const { examination, verdicts, html } = await withEyes(quantizer, executor, async (seeing) => {
        const found = await examineQuantizer(seeing, {
          ...{ executor, frames: data.frames, train: fitted, heldOut: kept, signal: context.signal },
          ...{ truth: measured ?? recordedTruth(data), most: options.pairs },
          inverseModelSteps: options.inverseModelSteps,
        });
        const judged = judgeExamination(found);
        const runner = createQuantizerRunner(seeing, executor);
        const shown = { quantizer, runner, frames: data.frames, pairs: kept };
        const text = await renderEvaluation(found, judged, shown).finally(() => runner.dispose());
        return { examination: found, verdicts: judged, html: text };
      });
      const inside = existsSync(join(path, "checkpoints")) ? path : ".";
      const report = resolve(options.report || join(inside, "evaluation.html"));
      writeWhole(report, html);
      for (const { id, verdict, name, measured: found } of verdicts) {
        context.print(`${id.padEnd(9)} ${verdict.padEnd(13)} ${name}: ${found}`);
      }
      context.print(`report:   ${report}`);
      context.result({ ...examination, verdicts, report });
    } finally {
      await executor.dispose();
      data.close();
    }
  },
});
