/** @file Demonstrations in memory: a bright square whose place says which action follows. */
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";

const size = 16;

/** Even clips: a square left (action -1); odd ones: right (action 1); the last dimension never changes. */
export function smallData({ clips = 6, frames = 8, dimensions = 2, heldOut = 1, caption = "push the block" } = {}) {
  const sides = Array.from({ length: clips }, (_, clip) => new Array<number>(frames).fill(clip % 2));
  const names = Array.from({ length: dimensions }, (_, index) => `joint ${index}`);
  const info = {
    ...{ path: "memory", format: "memory", fps: 10, robotType: "none", episodes: clips, frames: clips * frames },
    features: {
      action: { dtype: "float32", shape: [dimensions], names },
      "observation.images.front": { dtype: "video", shape: [size, size, 3], names: null },
    },
    metadata: {},
  };
  const actionsOf = (row: readonly number[]) =>
    Float32Array.from(
      row.flatMap((side) => names.map((_, at) => (at === dimensions - 1 ? 0.25 : (2 * side - 1) * (at + 1)))),
    );
  const data = {
    frames: {
      size,
      clips: sides.map((_, clip) => ({
        ...{ name: `clip ${clip}`, path: `clip ${clip}`, frames, hash: String(clip), caption },
        timestampsS: Float64Array.from({ length: frames }, (_, index) => index / 10),
      })),
      read(clip: number, frame: number, out: Uint8Array, offset: number) {
        out.fill(20, offset, offset + size * size * 3);
        const left = sides[clip]![frame]! === 0 ? 1 : 9;
        for (let y = 5; y < 11; y++) out.fill(240, offset + (y * size + left) * 3, offset + (y * size + left + 6) * 3);
      },
      problems: [],
      close: () => undefined,
    },
    recorded: sides.map((row, episode) => ({ dataset: info, episode, actions: actionsOf(row), states: undefined })),
    heldOut: sides.map((_, clip) => clip >= clips - heldOut),
    hash: "data",
    problems: [],
    close: () => undefined,
  };
  return { data: data as unknown as VideoData, sides };
}

/** Labels two frames ahead, whose first code is the side seen and whose second is 2. */
export function smallLabels(sides: readonly (readonly number[])[], given: Partial<LatentLabels> = {}): LatentLabels {
  const pairs = sides.flatMap((row, clip) => row.slice(2).map((_, first) => ({ clip, first })));
  return {
    ...{ quantizerHash: "quantizer", codebookSize: 4, codesPerStep: 2, offsetS: 0.2 },
    source: { path: "memory", hash: "data" },
    episodes: Int32Array.from(pairs, ({ clip }) => clip),
    first: Int32Array.from(pairs, ({ first }) => first),
    second: Int32Array.from(pairs, ({ first }) => first + 2),
    codes: Int32Array.from(pairs.flatMap(({ clip, first }) => [sides[clip]![first]!, 2])),
    ...given,
  };
}

export const smallModel = {
  ...{ imageSize: size, stem: "patches", patchSize: 8, width: 16, depth: 1, heads: 2, textLength: 4 },
  ...{ codebookSize: 4, codesPerStep: 2 },
} as const;
