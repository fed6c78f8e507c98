/** @file Clips in memory: a bright square on a dark ground that moves sideways or stays, and how far it truly went. */
import type { Truth } from "#lapa/quantizer/index.ts";

const size = 16;

/** Clip c moves by -2, 0 or 2 pixels per frame, there and back. */
export function movingSquares({ clips = 12, frames = 12 } = {}) {
  const placeOf = (clip: number, frame: number) => {
    const swing = (((frame + clip) % 8) + 8) % 8;
    return 2 + (swing < 4 ? 2 * swing : 16 - 2 * swing);
  };
  const source = {
    size,
    clips: Array.from({ length: clips }, (_, clip) => ({
      ...{ name: `clip ${clip}`, path: `clip ${clip}`, frames, hash: String(clip) },
      timestampsS: Float64Array.from({ length: frames }, (_, frame) => frame / 10),
    })),
    read(clip: number, frame: number, out: Uint8Array, offset: number) {
      out.fill(30, offset, offset + size * size * 3);
      const left = placeOf(clip, frame);
      for (let y = 6; y < 10; y++) out.fill(230, offset + (y * size + left) * 3, offset + (y * size + left + 4) * 3);
    },
  };
  const pairsOf = (from: number, to: number) => {
    const rows = Array.from({ length: (to - from) * (frames - 2) }, (_, row) => ({
      clip: from + Math.floor(row / (frames - 2)),
      first: row % (frames - 2),
    }));
    return {
      length: rows.length,
      clip: Int32Array.from(rows, ({ clip }) => clip),
      first: Int32Array.from(rows, ({ first }) => first),
      second: Int32Array.from(rows, ({ first }) => first + 2),
    };
  };
  const truth: Truth = ({ length, clip, first, second }) => ({
    values: Float32Array.from({ length }, (_, p) => placeOf(clip[p]!, second[p]!) - placeOf(clip[p]!, first[p]!)),
    width: 1,
  });
  return { frames: source, train: pairsOf(0, clips - 4), heldOut: pairsOf(clips - 4, clips), truth };
}

export const smallQuantizer = {
  ...{ imageSize: size, patchSize: 4, width: 16, heads: 2, keypoints: 4, stemChannels: 8 },
  ...{ decoderDepth: 1, codeWidth: 4, codesPerStep: 1, codebookSize: 4 },
} as const;
