import { z } from "zod";

/** What makes a stretch of video worth learning from. */
export const clipsConfig = z.strictObject({
  cutThreshold: z
    .number()
    .positive()
    .default(27)
    .describe("change of colours between frames that is a cut, HSV levels (PySceneDetect: 27)"),
  minimumScene: z.int().positive().default(15).describe("frames between two cuts at least"),
  minimumS: z.number().positive().default(1).describe("shorter clips are dropped, seconds"),
  minimumMotion: z
    .number()
    .nonnegative()
    .default(4)
    .describe("clips in which nothing moves more within half a second are still, grey levels"),
  minimumSharpness: z
    .number()
    .nonnegative()
    .default(12)
    .describe("clips below are blurred, variance of the Laplacian at 64 pixels"),
  ownMotionShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.35)
    .describe("share of the motion that a shift of the whole picture must leave, or only the camera moves"),
  duplicateDifference: z
    .number()
    .nonnegative()
    .default(8)
    .describe("clips that nowhere differ by more are the same, grey levels"),
});

export type ClipsConfig = z.infer<typeof clipsConfig>;
