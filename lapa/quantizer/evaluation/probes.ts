/** @file How much of the true motion can be read off the codes, beside what can be read without them. */
import { createRng } from "#core/rng.ts";
import { applyLinearProbe, fitLinearProbe, rSquared } from "#core/statistics/linear-probe.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { Frames } from "../batches.ts";
import { oneHotCodes } from "../evaluate.ts";
import { initQuantizer } from "../model.ts";
import { createQuantizerRunner } from "../runner.ts";
import { readFrames } from "./altered-frames.ts";
import type { InverseModel } from "./inverse-model.ts";
import { kMeans, nearestCentre } from "./k-means.ts";
import { fitMlpProbe } from "./mlp-probe.ts";
import type { KnownMotion, Subject } from "./subject.ts";

export type ProbeRow = {
  readonly name: string;
  readonly kind: "codes" | "control" | "bound";
  /** Share of the true motion's variance that is explained on clips left out. */
  readonly r2: number;
};

export const probeNames = {
  codesLine: "codes, read by a line",
  codesNetwork: "codes, read by a network",
  latentsLine: "latents before quantisation, by a line",
  mean: "mean motion",
  difference: "difference of the frames at 8 x 8, by a line",
  untrained: "codes of the untrained encoder, by a line",
  inverse: "inverse model that was told the actions",
} as const;

/** R² on the held-out rows of a line fitted to the others. */
export function lineScore(
  train: ArrayLike<number>,
  heldOut: ArrayLike<number>,
  { train: known, heldOut: wanted, width }: KnownMotion,
): number {
  const line = fitLinearProbe(train, known, { rows: known.length / width });
  return rSquared(applyLinearProbe(line, heldOut, wanted.length / width), wanted, width);
}

/** Second frame minus first at 8 x 8 cells, f32[N, 192], grey levels / 255. */
export function frameDifferences(frames: Frames, pairs: FramePairs, cells = 8): Float32Array {
  const { size } = frames;
  const pixels = size * size * 3;
  const [first, second] = [readFrames(frames, pairs, "first"), readFrames(frames, pairs, "second")];
  const out = new Float32Array(pairs.length * cells * cells * 3);
  const perCell = 255 * (size / cells) ** 2;
  for (let at = 0; at < first.length; at++) {
    const within = at % pixels;
    const [row, column] = [Math.floor(within / (size * 3)), Math.floor(within / 3) % size];
    const cell = Math.floor((row * cells) / size) * cells + Math.floor((column * cells) / size);
    const place = (Math.floor(at / pixels) * cells * cells + cell) * 3 + (within % 3);
    out[place] = out[place]! + (second[at]! - first[at]!) / perCell;
  }
  return out;
}

/** Latents of the same network with its first weights, quantised by the best codebook that K centres can make. */
async function untrainedScore({ quantizer, executor, frames, train, heldOut }: Subject, motion: KnownMotion) {
  const { model } = quantizer.config;
  const { codebookSize: count, codeWidth: width } = model;
  const parameters = initQuantizer(createRng("untrained"), model);
  const runner = createQuantizerRunner({ ...quantizer, parameters }, executor);
  const latents = { train: await runner.embed(frames, train), heldOut: await runner.embed(frames, heldOut) };
  await runner.dispose();
  const { centres, assigned } = kMeans(latents.train, { width, count, rng: createRng("untrained-codebook") });
  const others = nearestCentre(latents.heldOut, centres, width);
  return lineScore(oneHotCodes(assigned, count), oneHotCodes(others, count), motion);
}

/** Reads the motion off codes, latents and controls. @param inverse left out where none was trained */
export async function probeMotion(
  subject: Subject,
  motion: KnownMotion,
  inverse: InverseModel | undefined,
): Promise<ProbeRow[]> {
  const { runner, executor, frames, train, heldOut, codes, quantizer } = subject;
  const { codebookSize } = quantizer.config.model;
  const oneHot = {
    train: oneHotCodes(codes.train, codebookSize),
    heldOut: oneHotCodes(codes.heldOut, codebookSize),
  };
  const network = await fitMlpProbe(oneHot.train, motion.train, {
    ...{ executor, inputs: oneHot.train.length / train.length, outputs: motion.width },
  });
  const latents = [await runner.embed(frames, train), await runner.embed(frames, heldOut)] as const;
  const differences = [frameDifferences(frames, train), frameDifferences(frames, heldOut)] as const;
  const score = (predicted: ArrayLike<number>) => rSquared(predicted, motion.heldOut, motion.width);
  const rows: ProbeRow[] = [
    { name: probeNames.codesLine, kind: "codes", r2: lineScore(oneHot.train, oneHot.heldOut, motion) },
    { name: probeNames.codesNetwork, kind: "codes", r2: score(await network(oneHot.heldOut)) },
    { name: probeNames.latentsLine, kind: "codes", r2: lineScore(...latents, motion) },
    { name: probeNames.mean, kind: "control", r2: score(new Float32Array(motion.heldOut.length)) },
    { name: probeNames.difference, kind: "control", r2: lineScore(...differences, motion) },
    { name: probeNames.untrained, kind: "control", r2: await untrainedScore(subject, motion) },
  ];
  if (inverse === undefined) return rows;
  return [...rows, { name: probeNames.inverse, kind: "bound", r2: score(await inverse.predict(frames, heldOut)) }];
}
