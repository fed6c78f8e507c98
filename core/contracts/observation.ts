import type { Image } from "./image.ts";

/**
 * What a policy sees at one instant.
 *
 * - `images`: camera name to u8[H, W, 3]
 * - `state`: f32[S], units as the robot's `observationFeatures` say
 * - `stampNs`: capture time, nanoseconds of the robot's clock (never the time of arrival)
 */
export type Observation = {
  readonly images: Readonly<Record<string, Image>>;
  readonly state?: Float32Array;
  readonly instruction: string;
  readonly stampNs: bigint;
};
