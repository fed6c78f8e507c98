/** @file From a folder of videos to clips worth learning from: one camera shot each, long enough, sharp, and moving. */
import { FormatError } from "#core/errors.ts";
import type { ClipSource } from "../clip-source.ts";
import { forEachParallel } from "../parallel.ts";
import type { ClipsConfig } from "./config.ts";
import { peakDifference } from "./frame-measures.ts";
import { type FrameMeasures, measureVideo, thumbnailSize } from "./measure-video.ts";
import { findScenes } from "./scenes.ts";

type DropReason = "unusable" | "too short" | "still" | "blurred" | "camera only" | "duplicate";

type DroppedClip = {
  readonly name: string;
  readonly path: string;
  readonly startS: number;
  readonly endS: number;
  readonly reason: DropReason;
  /** The number that decided, or ffmpeg's words. */
  readonly detail: string;
};

export type Selection = { readonly clips: readonly ClipSource[]; readonly dropped: readonly DroppedClip[] };

export type SelectOptions = {
  readonly workers?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

/** Thumbnails of eight frames, spread over the clip. */
type Fingerprint = readonly Float32Array[];

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[values.length >> 1] ?? 0;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Why a scene is left out, or `undefined`. */
function judgeScene(
  frames: readonly FrameMeasures[],
  durationS: number,
  config: ClipsConfig,
): { reason: DropReason; detail: string } | undefined {
  if (durationS < config.minimumS) return { reason: "too short", detail: `${durationS.toFixed(2)} s` };
  const moving = frames.slice(1);
  const peak = median(moving.map(({ motion }) => motion.peak));
  if (peak < config.minimumMotion)
    return { reason: "still", detail: `${peak.toFixed(2)} grey levels in half a second` };
  const sharp = median(frames.map((frame) => frame.sharpness));
  if (sharp < config.minimumSharpness) return { reason: "blurred", detail: `sharpness ${sharp.toFixed(1)}` };
  const share = mean(moving.map(({ motion }) => motion.own)) / mean(moving.map(({ motion }) => motion.total));
  if (share < config.ownMotionShare)
    return { reason: "camera only", detail: `${Math.round(100 * share)} % of the motion is not the camera's` };
  return undefined;
}

function fingerprintOf(frames: readonly FrameMeasures[]): Fingerprint {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((part) => frames[Math.floor((part * (frames.length - 1)) / 7)]!.thumbnail);
}

/** Two recordings of one scene look alike; only copies are alike at every place and time. */
function isSame(left: Fingerprint, right: Fingerprint, limit: number): boolean {
  return left.every((thumbnail, part) => peakDifference(thumbnail, right[part]!, thumbnailSize) <= limit);
}

/** One clip per scene of one video. */
function scenesOf(source: ClipSource, frames: readonly FrameMeasures[], config: ClipsConfig) {
  const intervalS = frames.length > 1 ? (frames.at(-1)!.timestampS - frames[0]!.timestampS) / (frames.length - 1) : 0;
  const scenes = findScenes(
    frames.map(({ change }) => change),
    config.cutThreshold,
    config.minimumScene,
  );
  return scenes.map(({ start, end }) => {
    const startS = frames[start]!.timestampS;
    const endS = frames[end]?.timestampS ?? frames[end - 1]!.timestampS + intervalS;
    const whole = scenes.length === 1;
    const name = whole ? source.name : `${source.name}@${startS.toFixed(2)}`;
    // Half an interval before the frame, so that rounding cannot lose it or take in the one after.
    const range = whole ? {} : { startS: startS - intervalS / 2, endS: endS - intervalS / 2 };
    return { clip: { ...source, name, ...range }, startS, endS, inside: frames.slice(start, end) };
  });
}

/**
 * Cuts videos into scenes and leaves out what teaches nothing. Every clip that is left out is named with the reason.
 *
 * @returns clips in the order of the sources and of time; the first of several equal ones is kept
 */
export async function selectClips(
  sources: readonly ClipSource[],
  config: ClipsConfig,
  options: SelectOptions = {},
): Promise<Selection> {
  const measured: (FrameMeasures[] | string)[] = new Array(sources.length);
  let done = 0;
  await forEachParallel(sources, options.workers ?? 2, async ({ path }, index) => {
    try {
      measured[index] = await measureVideo(path, options.signal);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      measured[index] = error.message;
    }
    done++;
    options.onProgress?.(done, sources.length);
  });
  const clips: ClipSource[] = [];
  const dropped: DroppedClip[] = [];
  const kept: { name: string; fingerprint: Fingerprint }[] = [];
  for (const [index, source] of sources.entries()) {
    const frames = measured[index]!;
    if (typeof frames === "string") {
      dropped.push({ name: source.name, path: source.path, startS: 0, endS: 0, reason: "unusable", detail: frames });
      continue;
    }
    for (const { clip, startS, endS, inside } of scenesOf(source, frames, config)) {
      const fingerprint = fingerprintOf(inside);
      const twin = kept.find((other) => isSame(other.fingerprint, fingerprint, config.duplicateDifference));
      const verdict =
        judgeScene(inside, endS - startS, config) ??
        (twin && { reason: "duplicate" as const, detail: `of ${twin.name}` });
      if (verdict) dropped.push({ name: clip.name, path: clip.path, startS, endS, ...verdict });
      else {
        clips.push(clip);
        kept.push({ name: clip.name, fingerprint });
      }
    }
  }
  return { clips, dropped };
}
