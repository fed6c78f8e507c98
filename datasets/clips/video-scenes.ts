/** @file A video as scenes with the few numbers by which they are judged: what a shard hands to the merge. */
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import type { ClipsConfig } from "./config.ts";
import { type FrameMeasures, measureVideo, thumbnailSize } from "./measure-video.ts";
import { findScenes } from "./scenes.ts";

/** Change whenever the same video gives other numbers. */
export const scenesVersion = "scenes-1";

const fingerprintFrames = 8;

const sceneSchema = z.strictObject({
  startS: z.number(),
  endS: z.number(),
  /** Range that takes exactly the frames of the scene; left out: the whole video is one scene. */
  range: z.strictObject({ startS: z.number(), endS: z.number() }).optional(),
  /** Median motion within half a second where most happens, grey levels. */
  peak: z.number(),
  sharpness: z.number(),
  /** Share of the motion that is not the camera's; null: nothing moves. */
  ownShare: z.number().nullable(),
  /** base64 of u8[8, 32, 32]: grey thumbnails spread over the scene. */
  fingerprint: z.string(),
});

export const videoScenesSchema = z.union([
  z.strictObject({ problem: z.string() }),
  z.strictObject({ scenes: z.array(sceneSchema) }),
]);

export type SceneMeasures = z.infer<typeof sceneSchema>;
export type VideoScenes = z.infer<typeof videoScenesSchema>;

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[values.length >> 1] ?? 0;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function fingerprintOf(frames: readonly FrameMeasures[]): string {
  const bytes = new Uint8Array(fingerprintFrames * thumbnailSize ** 2);
  for (let part = 0; part < fingerprintFrames; part++) {
    const frame = frames[Math.floor((part * (frames.length - 1)) / (fingerprintFrames - 1))]!;
    bytes.set(
      frame.thumbnail.map((level) => Math.round(level)),
      part * thumbnailSize ** 2,
    );
  }
  return Buffer.from(bytes).toString("base64");
}

/** f32[32, 32] each. */
export function fingerprintPictures({ fingerprint }: SceneMeasures): Float32Array[] {
  const bytes = Buffer.from(fingerprint, "base64");
  const pixels = thumbnailSize ** 2;
  return Array.from({ length: fingerprintFrames }, (_, part) =>
    Float32Array.from(bytes.subarray(part * pixels, (part + 1) * pixels)),
  );
}

/**
 * Decodes a video once, finds its cuts and measures every scene. What cannot be decoded is a result too, so that it is
 * named and not tried again.
 */
export async function measureScenes(
  path: string,
  config: Pick<ClipsConfig, "cutThreshold" | "minimumScene">,
  signal?: AbortSignal,
): Promise<VideoScenes> {
  let frames: FrameMeasures[];
  try {
    frames = await measureVideo(path, signal);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { problem: error.message };
  }
  const intervalS = frames.length > 1 ? (frames.at(-1)!.timestampS - frames[0]!.timestampS) / (frames.length - 1) : 0;
  const changes = frames.map(({ change }) => change);
  const scenes = findScenes(changes, config.cutThreshold, config.minimumScene);
  return {
    scenes: scenes.map(({ start, end }): SceneMeasures => {
      const inside = frames.slice(start, end);
      const moving = inside.slice(1);
      const startS = frames[start]!.timestampS;
      const endS = frames[end]?.timestampS ?? frames[end - 1]!.timestampS + intervalS;
      const total = sum(moving.map(({ motion }) => motion.total));
      return {
        ...{ startS, endS },
        // Half an interval before the frame, so that rounding cannot lose it or take in the one after.
        ...(scenes.length > 1 ? { range: { startS: startS - intervalS / 2, endS: endS - intervalS / 2 } } : {}),
        peak: median(moving.map(({ motion }) => motion.peak)),
        sharpness: median(inside.map((frame) => frame.sharpness)),
        ownShare: total > 0 ? sum(moving.map(({ motion }) => motion.own)) / total : null,
        fingerprint: fingerprintOf(inside),
      };
    }),
  };
}
