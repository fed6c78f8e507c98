import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { FormatError } from "#core/errors.ts";
import type { CachedClip } from "#datasets/frame-cache.ts";
import type { Truth } from "#lapa/quantizer/index.ts";

function readTip(folder: string, clip: CachedClip): readonly (readonly number[])[] {
  const path = join(folder, `${basename(clip.path, extname(clip.path))}.json`);
  try {
    const { tip } = JSON.parse(readFileSync(path, "utf8")) as { tip: readonly (readonly number[])[] };
    if (tip.length === clip.frames) return tip;
    throw new Error(`${tip.length} rows for ${clip.frames} frames`);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new FormatError(path, `must be the truth of ${clip.path}, but is not (${why}). Check --truth.`, { cause });
  }
}

/** True moves of the tip, [x, y] in metres, from the folder that `datasets simulate` wrote beside its videos. */
export function readTruth(folder: string, clips: readonly CachedClip[]): Truth {
  const tips = new Map<number, readonly (readonly number[])[]>();
  return (pairs) => {
    const values = new Float32Array(pairs.length * 2);
    for (let pair = 0; pair < pairs.length; pair++) {
      const clip = pairs.clip[pair]!;
      const tip = tips.get(clip) ?? readTip(folder, clips[clip]!);
      tips.set(clip, tip);
      const [from, to] = [tip[pairs.first[pair]!]!, tip[pairs.second[pair]!]!];
      values[2 * pair] = to[0]! - from[0]!;
      values[2 * pair + 1] = to[1]! - from[1]!;
    }
    return { values, width: 2 };
  };
}
