import { decodeVideo } from "../video/decode.ts";
import { contentChange, halve, type Motion, motionBetween, sharpness, toGrey, toHsv } from "./frame-measures.ts";

/** Side at which frames are looked at. */
const size = 64;

/** Motion is looked at over this time: slow hands count as much at 30 as at 10 frames a second. */
const motionS = 0.5;

export type FrameMeasures = {
  readonly timestampS: number;
  /** Change of colours against the frame before; 0 for the first. */
  readonly change: number;
  /** Motion since half a second before (or the beginning). */
  readonly motion: Motion;
  readonly sharpness: number;
  /** f32[32, 32] grey levels. */
  readonly thumbnail: Float32Array;
};

export const thumbnailSize = size / 2;

/**
 * Decodes a video once, squeezed to a small square so that nothing at its borders is missed, and measures every frame.
 *
 * @throws FormatError when the video cannot be used
 */
export async function measureVideo(path: string, signal?: AbortSignal): Promise<FrameMeasures[]> {
  const measures: FrameMeasures[] = [];
  let hsvBefore: Float32Array | undefined;
  let earlier = 0;
  for await (const { data, timestampS } of decodeVideo(path, { size, fit: "stretch", ...(signal ? { signal } : {}) })) {
    const hsv = toHsv(data);
    const grey = toGrey(data);
    const thumbnail = halve(grey, size);
    while (earlier + 1 < measures.length && measures[earlier + 1]!.timestampS <= timestampS - motionS) earlier++;
    measures.push({
      timestampS,
      change: hsvBefore ? contentChange(hsvBefore, hsv) : 0,
      motion: motionBetween(measures[earlier]?.thumbnail ?? thumbnail, thumbnail, thumbnailSize),
      sharpness: sharpness(grey, size),
      thumbnail,
    });
    hsvBefore = hsv;
  }
  return measures;
}
