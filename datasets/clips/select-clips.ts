/** @file From a folder of videos to clips worth learning from: one camera shot each, long enough, sharp, and moving. */
import type { ClipSource } from "../clip-source.ts";
import { forEachParallel } from "../parallel.ts";
import type { ClipsConfig } from "./config.ts";
import { peakDifference } from "./frame-measures.ts";
import { thumbnailSize } from "./measure-video.ts";
import { fingerprintPictures, measureScenes, type SceneMeasures, type VideoScenes } from "./video-scenes.ts";

type DropReason = "unusable" | "too short" | "still" | "blurred" | "camera only" | "duplicate";

export type DroppedClip = {
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

/** Why a scene is left out, or `undefined`. */
function judgeScene(
  { startS, endS, peak, sharpness, ownShare }: SceneMeasures,
  config: ClipsConfig,
): { reason: DropReason; detail: string } | undefined {
  const durationS = endS - startS;
  if (durationS < config.minimumS) return { reason: "too short", detail: `${durationS.toFixed(2)} s` };
  if (peak < config.minimumMotion)
    return { reason: "still", detail: `${peak.toFixed(2)} grey levels in half a second` };
  if (sharpness < config.minimumSharpness) return { reason: "blurred", detail: `sharpness ${sharpness.toFixed(1)}` };
  if (ownShare !== null && ownShare < config.ownMotionShare)
    return { reason: "camera only", detail: `${Math.round(100 * ownShare)} % of the motion is not the camera's` };
  return undefined;
}

/** Two recordings of one scene look alike; only copies are alike at every place and time. */
function isSame(left: readonly Float32Array[], right: readonly Float32Array[], limit: number): boolean {
  return left.every((thumbnail, part) => peakDifference(thumbnail, right[part]!, thumbnailSize) <= limit);
}

/**
 * Leaves out what teaches nothing. Every clip that is left out is named with the reason.
 *
 * @param measured scenes of every source, in the same order
 * @returns clips in the order of the sources and of time; the first of several equal ones is kept
 */
export function judgeScenes(
  sources: readonly ClipSource[],
  measured: readonly VideoScenes[],
  config: ClipsConfig,
): Selection {
  const clips: ClipSource[] = [];
  const dropped: DroppedClip[] = [];
  const kept: { name: string; pictures: Float32Array[] }[] = [];
  for (const [index, source] of sources.entries()) {
    const video = measured[index]!;
    if ("problem" in video) {
      const { name, path } = source;
      dropped.push({ name, path, startS: 0, endS: 0, reason: "unusable", detail: video.problem });
      continue;
    }
    for (const scene of video.scenes) {
      const { startS, endS, range } = scene;
      const clip = { ...source, ...(range ? { name: `${source.name}@${startS.toFixed(2)}`, ...range } : {}) };
      const pictures = fingerprintPictures(scene);
      const verdict = judgeScene(scene, config) ?? findTwin(pictures);
      if (verdict) dropped.push({ name: clip.name, path: clip.path, startS, endS, ...verdict });
      else {
        clips.push(clip);
        kept.push({ name: clip.name, pictures });
      }
    }
  }
  return { clips, dropped };

  function findTwin(pictures: readonly Float32Array[]): { reason: DropReason; detail: string } | undefined {
    const twin = kept.find((other) => isSame(other.pictures, pictures, config.duplicateDifference));
    return twin && { reason: "duplicate", detail: `of ${twin.name}` };
  }
}

/** Cuts videos into scenes and judges them, in this process. */
export async function selectClips(
  sources: readonly ClipSource[],
  config: ClipsConfig,
  options: SelectOptions = {},
): Promise<Selection> {
  const measured: VideoScenes[] = new Array(sources.length);
  let done = 0;
  await forEachParallel(sources, options.workers ?? 2, async ({ path }, index) => {
    measured[index] = await measureScenes(path, config, options.signal);
    options.onProgress?.(++done, sources.length);
  });
  return judgeScenes(sources, measured, config);
}
