/** @file Frame pairs that were never filmed: played backwards, standing still, cut from two clips, or with something that distracts. */
import { createRng, type Rng } from "#core/rng.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { Frames } from "../batches.ts";

export const reversed = ({ first, second, ...rest }: FramePairs): FramePairs => ({
  ...rest,
  first: second,
  second: first,
});

export const still = ({ first, ...rest }: FramePairs): FramePairs => ({ ...rest, first, second: first });

/** Row-major pictures as the frames of pairs: pair p joins `first[p]` and `second[p]`, u8[N, size, size, 3] each. */
export function framesOfPictures(size: number, first: Uint8Array, second: Uint8Array) {
  const pixels = size * size * 3;
  const count = first.length / pixels;
  const frames: Frames = {
    size,
    clips: [],
    read(clip, frame, out, offset) {
      out.set((frame === 0 ? first : second).subarray(clip * pixels, (clip + 1) * pixels), offset);
    },
  };
  const every = Int32Array.from({ length: count }, (_, index) => index);
  const pairs: FramePairs = {
    length: count,
    clip: every,
    first: new Int32Array(count),
    second: new Int32Array(count).fill(1),
  };
  return { frames, pairs };
}

/** First or second frames of pairs, u8[N, size, size, 3]. */
export function readFrames(frames: Frames, pairs: FramePairs, which: "first" | "second"): Uint8Array {
  const pixels = frames.size * frames.size * 3;
  const out = new Uint8Array(pairs.length * pixels);
  for (let pair = 0; pair < pairs.length; pair++) {
    frames.read(pairs.clip[pair]!, pairs[which][pair]!, out, pair * pixels);
  }
  return out;
}

/** For each pair another one, of another clip where there is one: `partner[p]`. */
export function drawPartners(pairs: FramePairs, rng: Rng): Int32Array {
  const clips = new Set(pairs.clip);
  return Int32Array.from({ length: pairs.length }, (_, pair) => {
    for (;;) {
      const other = rng.integer(pairs.length);
      if (clips.size === 1 || pairs.clip[other] !== pairs.clip[pair]) return other;
    }
  });
}

export const distractorNames = ["a body that moves by itself", "a shaking camera"] as const;
export type DistractorName = (typeof distractorNames)[number];

/** Side of the body, its way within one frame at most, and how far the camera shakes, as shares of the picture. */
const bodyShare = 0.16;
const stepShare = 0.05;
const shakeShare = 0.03;

/** A striped square that wanders: where it is and what it looks like depends on clip and frame alone. */
function drawBody(clip: number, frame: number, size: number, out: Uint8Array, offset: number): void {
  const rng = createRng(`distractor/${clip}`);
  const side = Math.max(2, Math.round(bodyShare * size));
  const room = size - side;
  const colours = [0, 1].map(() => [rng.integer(256), rng.integer(256), rng.integer(256)]);
  const place = [0, 1].map(() => {
    // A sum of two sines: smooth in time, never the same way twice, reflected nowhere.
    const [phase, slow, fast] = [rng.uniform(0, 2 * Math.PI), rng.uniform(0.5, 1), rng.uniform(1, 2)];
    const pace = (2 * stepShare * size) / Math.max(1, room);
    const swing = 0.6 * Math.sin(phase + slow * pace * frame) + 0.4 * Math.sin(2 * phase + fast * pace * frame);
    return Math.round((room * (1 + swing)) / 2);
  });
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const at = offset + ((place[1]! + row) * size + place[0]! + column) * 3;
      out.set(colours[(row >> 1) & 1]!, at);
    }
  }
}

/** Moves the picture by up to `shakeShare`; its border is repeated. */
function shake(clip: number, frame: number, size: number, out: Uint8Array, offset: number): void {
  const rng = createRng(`shake/${clip}/${frame}`);
  const most = Math.max(1, Math.round(shakeShare * size));
  const [right, down] = [rng.integer(2 * most + 1) - most, rng.integer(2 * most + 1) - most];
  const whole = out.slice(offset, offset + size * size * 3);
  const clip01 = (value: number) => Math.min(size - 1, Math.max(0, value));
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const from = (clip01(row - down) * size + clip01(column - right)) * 3;
      out.set(whole.subarray(from, from + 3), offset + (row * size + column) * 3);
    }
  }
}

/** The same clips with something in them that no action moves (LAOM, Nikulin et al. 2025). */
export function withDistractor(frames: Frames, name: DistractorName): Frames {
  const disturb = name === "a shaking camera" ? shake : drawBody;
  return {
    size: frames.size,
    clips: frames.clips,
    read(clip, frame, out, offset) {
      frames.read(clip, frame, out, offset);
      disturb(clip, frame, frames.size, out, offset);
    },
  };
}
