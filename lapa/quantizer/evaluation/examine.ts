/**
 * @file The whole examination of a quantizer, m1 to m9: usage, pictures from hard codes, the gap between training and hard
 * codes, controllability, probes beside controls, mutual information, transfer, distractors, antisymmetry. Everything is
 * measured on clips that training did not see.
 */
import { UserError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { Executor } from "#engine/index.ts";
import type { Frames } from "../batches.ts";
import { oneHotCodes, type Truth, thinPairs } from "../evaluate.ts";
import { createQuantizerRunner, type PairErrors, type Quantizer } from "../runner.ts";
import { type DistractorName, distractorNames, withDistractor } from "./altered-frames.ts";
import { type Antisymmetry, antisymmetry } from "./antisymmetry.ts";
import { clipBootstrap, type Estimate } from "./clip-bootstrap.ts";
import { type CodeInformation, codeInformation } from "./code-information.ts";
import { type InverseModel, trainInverseModel } from "./inverse-model.ts";
import { lineScore, type ProbeRow, probeMotion } from "./probes.ts";
import { type KnownMotion, type Subject, standardiseMotion } from "./subject.ts";
import { type SceneCuts, type SwapTransfer, sceneCuts, swapTransfer } from "./transfer.ts";
import { type CodeUsage, usageByPosition } from "./usage-by-position.ts";

export type PictureQuality = {
  /** dB of the frame drawn from its hard code above the first frame left as it is. */
  readonly aboveCopy: Estimate;
  readonly aboveCopyMoving: Estimate;
  /** dB of what the decoder sees in training above the hard code. */
  readonly trainedAboveHard: Estimate;
  readonly trainedAboveHardMoving: Estimate;
  /** dB of the right code above a random one: controllability (Genie, Bruce et al. 2024). */
  readonly rightAboveRandom: Estimate;
  readonly rightAboveRandomMoving: Estimate;
};

export type DistractorRow = { readonly name: DistractorName; readonly r2: number; readonly errorRatio: number };

export type Examination = {
  readonly pairs: { readonly train: number; readonly heldOut: number; readonly clips: number };
  readonly codebookSize: number;
  readonly codesPerStep: number;
  readonly usage: CodeUsage & { readonly codesUsed: number };
  readonly pictures: PictureQuality;
  readonly cuts: SceneCuts | null;
  readonly antisymmetry: Antisymmetry;
  /** Where true motion is known; `null` elsewhere. */
  readonly probes: readonly ProbeRow[] | null;
  readonly information: CodeInformation | null;
  readonly distractors: readonly DistractorRow[] | null;
  /** Where an inverse model was trained too. */
  readonly transfer: SwapTransfer | null;
};

export type ExamineOptions = {
  readonly executor: Executor;
  readonly frames: Frames;
  /** Pairs of clips that training saw, to fit probes on, and of clips that it did not see. */
  readonly train: FramePairs;
  readonly heldOut: FramePairs;
  readonly truth?: Truth | undefined;
  /** Pairs of each that are looked at, at most. */
  readonly most: number;
  /** Training steps of the inverse model; 0: none, and what it judges is not measured. */
  readonly inverseModelSteps: number;
  readonly signal?: AbortSignal;
};

function pictureQuality(clips: Int32Array, errors: PairErrors): PictureQuality {
  const above = (better: keyof PairErrors, worse: keyof PairErrors) =>
    clipBootstrap(clips, [errors[worse], errors[better]], ([more, less]) => 10 * Math.log10(more! / less!));
  return {
    aboveCopy: above("hard", "copy"),
    aboveCopyMoving: above("hardMoving", "copyMoving"),
    trainedAboveHard: above("trained", "hard"),
    trainedAboveHardMoving: above("trainedMoving", "hardMoving"),
    rightAboveRandom: above("hard", "random"),
    rightAboveRandomMoving: above("hardMoving", "randomMoving"),
  };
}

/** R² of a line refitted on disturbed clips, and how much larger its error is than on clean ones. */
async function withDistractors(subject: Subject, motion: KnownMotion, cleanR2: number): Promise<DistractorRow[]> {
  const { runner, frames, train, heldOut, quantizer } = subject;
  const rows: DistractorRow[] = [];
  for (const name of distractorNames) {
    const disturbed = withDistractor(frames, name);
    const read = async (pairs: FramePairs) =>
      oneHotCodes(await runner.encode(disturbed, pairs), quantizer.config.model.codebookSize);
    const r2 = lineScore(await read(train), await read(heldOut), motion);
    rows.push({ name, r2, errorRatio: (1 - r2) / (1 - cleanR2) });
  }
  return rows;
}

async function measureMotion(subject: Subject, motion: KnownMotion, inverse: InverseModel | undefined) {
  const probes = await probeMotion(subject, motion, inverse);
  return {
    probes,
    information: codeInformation(subject, motion),
    distractors: await withDistractors(subject, motion, probes[0]!.r2),
    transfer: inverse === undefined ? null : await swapTransfer(subject, motion, inverse),
  };
}

/**
 * Measures m1 to m9, as far as the true motion is known.
 *
 * @throws UserError when no clip was kept out of training
 */
export async function examineQuantizer(quantizer: Quantizer, options: ExamineOptions): Promise<Examination> {
  const { executor, frames, truth, most, inverseModelSteps: steps, signal } = options;
  const { codebookSize, codesPerStep } = quantizer.config.model;
  const [train, heldOut] = [thinPairs(options.train, most), thinPairs(options.heldOut, most)];
  if (heldOut.length === 0) {
    throw new UserError(
      "evaluation: must have pairs of clips that training did not see, got none. Raise --data.holdOut or give more videos.",
    );
  }
  const runner = createQuantizerRunner(quantizer, executor);
  const rng = createRng("quantizer/random-codes");
  const random = Int32Array.from({ length: heldOut.length * codesPerStep }, () => rng.integer(codebookSize));
  const { codes, errors } = await runner.measure(frames, heldOut, random);
  const motion = truth && standardiseMotion(truth, train, heldOut);
  const subject: Subject = {
    ...{ quantizer, runner, executor, frames, train, heldOut },
    codes: { train: motion ? await runner.encode(frames, train, signal) : new Int32Array(0), heldOut: codes },
  };
  const inverse =
    motion && steps > 0
      ? await trainInverseModel({
          ...{ config: quantizer.config, executor, frames, pairs: train, steps, signal, eyes: quantizer.eyes },
          ...{ actions: motion.train, width: motion.width },
        })
      : undefined;
  try {
    const clips = new Set(heldOut.clip).size;
    return {
      pairs: { train: train.length, heldOut: heldOut.length, clips },
      codebookSize,
      codesPerStep,
      usage: { ...usageByPosition(codes, codesPerStep, codebookSize), codesUsed: new Set(codes).size },
      pictures: pictureQuality(heldOut.clip, errors),
      cuts: clips > 1 ? await sceneCuts(subject) : null,
      antisymmetry: await antisymmetry(subject, motion),
      ...(motion === undefined
        ? { probes: null, information: null, distractors: null, transfer: null }
        : await measureMotion(subject, motion, inverse)),
    };
  } finally {
    await inverse?.dispose();
    await runner.dispose();
  }
}
