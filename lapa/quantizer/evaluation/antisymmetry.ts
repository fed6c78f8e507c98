import { applyLinearProbe, fitLinearProbe } from "#core/statistics/linear-probe.ts";
import { oneHotCodes } from "../evaluate.ts";
import type { Quantizer } from "../runner.ts";
import { reversed, still } from "./altered-frames.ts";
import type { KnownMotion, Subject } from "./subject.ts";
import { cosines } from "./transfer.ts";

export type Antisymmetry = {
  /** Mean cosine between the latents' codes of a pair and minus those of the pair played backwards. */
  readonly codes: number;
  /** The same for the motion that a line reads off the codes; with known motion alone. */
  readonly motion?: number;
  /** Its first dimension, forwards and backwards, of some pairs: for a plot. */
  readonly points?: readonly { readonly forwards: number; readonly backwards: number }[];
  /** Share of the most frequent whole code among pairs in which nothing moves. */
  readonly stillShare: number;
  readonly stillCodes: number;
};

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const negative = (values: ArrayLike<number>) => Float64Array.from({ length: values.length }, (_, at) => -values[at]!);

/** Code vectors side by side, f64[N, L * codeWidth]. */
function vectorRows(codes: Int32Array, { config, codebook }: Quantizer): Float64Array {
  const { codeWidth, codesPerStep, codebookSize, codebooks } = config.model;
  const vectors = codebook.vectors.data;
  const rows = new Float64Array(codes.length * codeWidth);
  for (const [index, code] of codes.entries()) {
    const row = codebooks === "per-position" ? (index % codesPerStep) * codebookSize + code : code;
    for (let at = 0; at < codeWidth; at++) rows[index * codeWidth + at] = vectors[row * codeWidth + at]!;
  }
  return rows;
}

/** Is a pair played backwards the opposite, and is no motion one code? */
export async function antisymmetry(subject: Subject, motion: KnownMotion | undefined): Promise<Antisymmetry> {
  const { quantizer, runner, frames, heldOut, codes } = subject;
  const { codeWidth, codesPerStep, codebookSize } = quantizer.config.model;
  const backwards = await runner.encode(frames, reversed(heldOut));
  const standing = await runner.encode(frames, still(heldOut));
  const rows = [codes.heldOut, backwards].map((each) => vectorRows(each, quantizer));
  const result = {
    codes: mean(cosines(rows[0]!, negative(rows[1]!), codesPerStep * codeWidth)),
    ...mostFrequent(standing, codesPerStep),
  };
  if (motion === undefined) return result;
  const line = fitLinearProbe(oneHotCodes(codes.train, codebookSize), motion.train, { rows: subject.train.length });
  const read = (each: Int32Array) => applyLinearProbe(line, oneHotCodes(each, codebookSize), heldOut.length);
  const [forth, back] = [read(codes.heldOut), read(backwards)];
  const stride = Math.max(1, Math.ceil(heldOut.length / 400)) * motion.width;
  const points: { forwards: number; backwards: number }[] = [];
  for (let at = 0; at < forth.length; at += stride) points.push({ forwards: forth[at]!, backwards: back[at]! });
  return { ...result, motion: mean(cosines(forth, negative(back), motion.width)), points };
}

function mostFrequent(codes: Int32Array, codesPerStep: number) {
  const counts = new Map<string, number>();
  for (let at = 0; at < codes.length; at += codesPerStep) {
    const key = codes.subarray(at, at + codesPerStep).join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return { stillShare: (Math.max(...counts.values()) * codesPerStep) / codes.length, stillCodes: counts.size };
}
