import { createVideoWriter } from "#datasets/video/encode.ts";
import { type RolloutView, rolloutPainter } from "../render-rollout.ts";
import type { RolloutLog } from "../scene/rollout-log.ts";

/** Writes a logged rollout as an mp4 at its own rate, whole or not at all. @returns number of frames */
export async function writeRolloutVideo(
  path: string,
  log: RolloutLog,
  { signal, ...view }: RolloutView & { readonly signal?: AbortSignal },
): Promise<number> {
  const paint = rolloutPainter(log, view);
  const { size } = view;
  const video = await createVideoWriter(path, {
    ...{ width: size, height: size, fps: log.rateHz },
    ...(signal ? { signal } : {}),
  });
  try {
    for (let frame = 0; frame < log.frames; frame++) await video.write(paint(frame).data);
    await video.close();
    return log.frames;
  } catch (error) {
    await video.abort();
    throw error;
  }
}
