/**
 * @file What makes a code an action: the demo's quantizer with one thing changed at a time, on the demo's own videos. Each
 * variant and seed is a run of its own, kept with its numbers, so that the benchmark goes on where it was stopped.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { createResult, type Result } from "#core/results.ts";
import { writeWhole } from "#core/write-whole.ts";
import type { Executor } from "#engine/index.ts";
import {
  createQuantizerRunner,
  evaluateQuantizer,
  openQuantizer,
  type QuantizerMetrics,
  quantizerPresets,
  quantizerTrainConfig,
  splitPairs,
  type Truth,
  trainQuantizer,
  usageByPosition,
  type VideoData,
  videoPairs,
} from "#lapa/quantizer/index.ts";

type Changes = z.input<typeof quantizerTrainConfig>;

/** What differs from preset `tiny`; the flag that changes it is the path of the field. */
export const codeVariants = {
  tiny: {},
  "without labels": { grounding: false, labelledShare: 0 },
  "not antisymmetric": { model: { antisymmetric: false } },
  "loss over all pixels": { model: { relative: false } },
  "without polarity": { polarity: false },
  "one code": { model: { codesPerStep: 1 } },
  "two codes": { model: { codesPerStep: 2 } },
  "patch stem": { model: { stem: "patches" } },
  "noise substitution": { model: { quantization: "nsvq" }, allowCollapse: true },
  "finite scalars": { model: { quantization: "fsq", fsqLevels: [3, 3], codebookSize: 9, codeWidth: 2 } },
  "codebook per position": { model: { codebooks: "per-position" } },
  "cut-outs": { crop: 0.15 },
  "half backwards": { backwards: true },
  "several offsets": { offsetsS: [0.2, 0.8] },
  "not antisymmetric, reversal term": { model: { antisymmetric: false, reversalWeight: 1 } },
  "patch stem, own features": { model: { stem: "patches", target: "own" } },
} as const satisfies Record<string, Changes>;

export type CodeVariant = keyof typeof codeVariants;
export const codeVariantNames = Object.keys(codeVariants) as CodeVariant[];

export type CodesBenchOptions = {
  readonly data: VideoData;
  readonly truth: Truth;
  readonly executor: Executor;
  readonly folder: string;
  readonly variants: readonly CodeVariant[];
  readonly seeds: readonly number[];
  readonly steps: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly command: string;
};

type Row = QuantizerMetrics & {
  readonly variant: CodeVariant;
  readonly seed: number;
  /** Of the codes at each position, in nats: what a policy that knows only how often each stands must still guess. */
  readonly entropyNats: readonly number[];
  readonly rightMinusRandomDb: number;
};

async function measureVariant(variant: CodeVariant, seed: number, options: CodesBenchOptions): Promise<Row> {
  const { data, executor, signal, command, steps } = options;
  // Other videos or another number of steps are another measurement.
  const folder = join(options.folder, `${data.hash}-${steps}`, `${variant.replaceAll(" ", "-")}-${seed}`);
  const done = join(folder, "measured.json");
  if (existsSync(done)) return JSON.parse(readFileSync(done, "utf8")) as Row;
  const config = quantizerTrainConfig.parse({ ...quantizerPresets.tiny, ...codeVariants[variant], seed, steps });
  const log = { info: options.log, warn: options.log };
  await trainQuantizer(data, config, { executor, folder, command, resume: true, signal, log });
  signal.throwIfAborted();
  const quantizer = await openQuantizer(folder);
  const { train, heldOut } = splitPairs(data, quantizer.config);
  const runner = createQuantizerRunner(quantizer, executor);
  const kept = videoPairs(data, heldOut);
  const { model } = quantizer.config;
  const metrics = await evaluateQuantizer(runner, {
    ...{ frames: data.frames, train: videoPairs(data, train.pairs), heldOut: kept },
    ...{ ...model, truth: options.truth },
  });
  const codes = await runner.encode(data.frames, kept);
  const { positions } = usageByPosition(codes, model.codesPerStep, model.codebookSize);
  await runner.dispose();
  const entropyNats = positions.map((position) => position.entropyNats);
  const row = {
    variant,
    seed,
    ...metrics,
    entropyNats,
    rightMinusRandomDb: metrics.psnrHardMoving - metrics.psnrRandomMoving,
  };
  writeWhole(done, JSON.stringify(row));
  return row;
}

/** Trains and measures every variant with every seed. */
export async function benchmarkCodes(options: CodesBenchOptions): Promise<Result> {
  const rows: Row[] = [];
  for (const seed of options.seeds) {
    for (const variant of options.variants) {
      const row = await measureVariant(variant, seed, options);
      options.log(
        `${variant}, seed ${seed}: R² ${row.probeR2?.toFixed(2)}, ${row.codesUsed} of ${row.codebookSize} codes, ` +
          `right - random ${row.rightMinusRandomDb.toFixed(1)} dB, ` +
          `entropy ${row.entropyNats.map((value) => value.toFixed(2)).join(", ")} nats`,
      );
      rows.push(row);
    }
  }
  const mean = (variant: CodeVariant) => {
    const values = rows.filter((row) => row.variant === variant).map(({ probeR2 = Number.NaN }) => probeR2);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return createResult({
    name: "lapa-codes",
    claim:
      `Written before the run: a line from code to true motion of a hand (R² on clips left out) explains more with preset tiny ` +
      `than with any one of its parts taken away or exchanged; ${options.steps} steps, ${options.seeds.length} seed(s) each.`,
    command: options.command,
    seeds: [...options.seeds],
    rows,
    summary: Object.fromEntries(options.variants.map((variant) => [variant, mean(variant)])),
  });
}
