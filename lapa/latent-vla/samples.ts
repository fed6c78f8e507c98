/** @file What both latent pretraining and fine-tuning read: one picture, its instruction, and what to say about it. */
import type { Rng } from "#core/rng.ts";
import { colourSize, drawColour, type Frames } from "#lapa/quantizer/index.ts";
import type { Perception, Words } from "./perception.ts";

/** N samples: frame `frame[i]` of clip `clip[i]`. */
export type SampleSet = { readonly clip: Int32Array; readonly frame: Int32Array };

/** How pictures are varied in training. */
export type Augmentation = {
  /** Largest shift, pixels; the border is repeated. */
  readonly shiftPixels: number;
  /** Strength of the colour map, 0 to 1. */
  readonly augment: number;
};

/** u8[size, size, 3] at `offset` of `pixels`, moved by whole pixels; what comes in from outside repeats the border. */
export function shiftPicture(
  pixels: Uint8Array,
  offset: number,
  size: number,
  dx: number,
  dy: number,
  scratch: Uint8Array,
): void {
  if (dx === 0 && dy === 0) return;
  const row = size * 3;
  scratch.set(pixels.subarray(offset, offset + size * row));
  const inside = (value: number) => Math.min(size - 1, Math.max(0, value));
  for (let y = 0; y < size; y++) {
    const from = inside(y - dy) * row;
    for (let x = 0; x < size; x++) {
      const source = from + inside(x - dx) * 3;
      const target = offset + y * row + 3 * x;
      pixels[target] = scratch[source]!;
      pixels[target + 1] = scratch[source + 1]!;
      pixels[target + 2] = scratch[source + 2]!;
    }
  }
}

/** Instructions of the clips as the backbone hears them, each different one encoded once. */
export async function encodeCaptions(frames: Frames, { words }: Pick<Perception, "words">): Promise<Words[]> {
  const known = new Map<string, Promise<Words>>();
  const heard = frames.clips.map(({ caption = "" }) => {
    const encoded = known.get(caption) ?? words(caption);
    known.set(caption, encoded);
    return encoded;
  });
  return Promise.all(heard);
}

export type PictureBatch = {
  /** u8[B, size, size, 3] */
  readonly images: Uint8Array;
  /** i32[B, T], or f32[B, T, E] of a sentence encoder */
  readonly words: Words;
  /** f32[B, 12] */
  readonly colour: Float32Array;
};

/** Fills pictures and words of the chosen samples. @param chosen indices into `samples`, one per row */
export function readPictures(
  frames: Frames,
  captions: readonly Words[],
  samples: SampleSet,
  chosen: ArrayLike<number>,
  augmentation: Augmentation,
  rng: Rng,
): PictureBatch {
  const { size } = frames;
  const pixels = size * size * 3;
  const batch = chosen.length;
  const textLength = captions[0]?.length ?? 0;
  const images = new Uint8Array(batch * pixels);
  const isVectors = captions[0] instanceof Float32Array;
  const words = isVectors ? new Float32Array(batch * textLength) : new Int32Array(batch * textLength);
  const colour = new Float32Array(batch * colourSize);
  const scratch = new Uint8Array(pixels);
  const { shiftPixels, augment } = augmentation;
  for (let row = 0; row < batch; row++) {
    const sample = chosen[row]!;
    const clip = samples.clip[sample]!;
    frames.read(clip, samples.frame[sample]!, images, row * pixels);
    const shift = () => rng.integer(2 * shiftPixels + 1) - shiftPixels;
    shiftPicture(images, row * pixels, size, shift(), shift(), scratch);
    drawColour(rng, { strength: augment }, colour, row * colourSize);
    words.set(captions[clip]!, row * textLength);
  }
  return { images, words, colour };
}
