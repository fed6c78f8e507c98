/** @file Demonstrations cut into samples: a picture, its instruction, and the actions that followed. */
import { type ActionTokenizer, encodeActions } from "#core/actions/bins.ts";
import type { Normalisation } from "#core/contracts/action.ts";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import type { SampleSet, Words } from "#lapa/latent-vla/index.ts";
import type { Frames } from "#lapa/quantizer/index.ts";
import { learnedDimensions, normaliseActions } from "./statistics.ts";

/** Latent actions around each of N samples. */
export type SampleLatents = {
  /** i32[N, codes]: what follows; where nothing is labelled, zeros that do not count. */
  readonly codes: Int32Array;
  /** f32[N]: 1 where what follows is labelled. */
  readonly known: Float32Array;
  /** i32[N, codes]: what led here; the codebook's size stands for none. */
  readonly previous: Int32Array;
};

/** N samples with the next L actions of each. */
export type Demonstrations = {
  readonly frames: Frames;
  readonly captions: readonly Words[];
  readonly samples: SampleSet;
  /** i32[N, L * A] */
  readonly bins: Int32Array;
  /** f32[N, L * A] in the network's range; empty where the head does not need it. */
  readonly values: Float32Array;
  /** f32[N, L * A]: 0 past the episode's end and in dimensions that are not learned. */
  readonly mask: Float32Array;
  readonly latents?: SampleLatents | undefined;
};

export type CutOptions = {
  readonly normalisation?: Normalisation;
  readonly labels?: LatentLabels | undefined;
  /** Which clips; by default all. */
  readonly keep?: (clip: number) => boolean;
};

/** Finds the labels of the samples. */
function latentsOf({ clip, frame }: SampleSet, labels: LatentLabels): SampleLatents {
  const { codesPerStep: width, codebookSize, codes: all } = labels;
  const keyed = (frames: Int32Array) =>
    new Map(Array.from(labels.episodes, (episode, pair) => [`${episode} ${frames[pair]}`, pair]));
  const [following, leading] = [keyed(labels.first), keyed(labels.second)];
  const codes = new Int32Array(clip.length * width);
  const known = new Float32Array(clip.length);
  const previous = new Int32Array(clip.length * width).fill(codebookSize);
  const pairCodes = (pair: number) => all.subarray(pair * width, (pair + 1) * width);
  for (let row = 0; row < clip.length; row++) {
    const key = `${clip[row]} ${frame[row]}`;
    const [next, last] = [following.get(key), leading.get(key)];
    if (next !== undefined) {
      codes.set(pairCodes(next), row * width);
      known[row] = 1;
    }
    if (last !== undefined) previous.set(pairCodes(last), row * width);
  }
  return { codes, known, previous };
}

/**
 * Cuts demonstrations into samples: every frame with the next L actions.
 *
 * @param actions per clip f32[T, A], row t was sent when frame t was seen
 */
export function cutDemonstrations(
  frames: Frames,
  captions: readonly Words[],
  actions: readonly Float32Array[],
  tokenizer: ActionTokenizer,
  chunkLength: number,
  { normalisation, labels, keep = () => true }: CutOptions = {},
): Demonstrations {
  const size = tokenizer.dimensions.length;
  const width = chunkLength * size;
  const learned = learnedDimensions(tokenizer);
  const lengths = actions.map((rows, clip) => (keep(clip) ? rows.length / size : 0));
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const samples = { clip: new Int32Array(count), frame: new Int32Array(count) };
  const bins = new Int32Array(count * width);
  const values = new Float32Array(normalisation === undefined ? 0 : count * width);
  const mask = new Float32Array(count * width);
  let row = 0;
  for (const [clip, length] of lengths.entries()) {
    const given = actions[clip]!.subarray(0, length * size);
    const encoded = encodeActions(tokenizer, given);
    const normalised = normalisation === undefined ? undefined : normaliseActions(normalisation, given);
    for (let frame = 0; frame < length; frame++, row++) {
      samples.clip[row] = clip;
      samples.frame[row] = frame;
      const known = Math.min(chunkLength, length - frame) * size;
      bins.set(encoded.subarray(frame * size, frame * size + known), row * width);
      if (normalised) values.set(normalised.subarray(frame * size, frame * size + known), row * width);
      for (let at = 0; at < known; at++) mask[row * width + at] = learned[at % size] ? 1 : 0;
    }
  }
  const latents = labels === undefined ? undefined : latentsOf(samples, labels);
  return { frames, captions, samples, bins, values, mask, latents };
}
