import type { Image } from "./image.ts";

/** A frozen feature extractor. */
export interface VisionEncoder {
  readonly id: string;
  /** Number of tokens and width of each for the given picture size. */
  shape(height: number, width: number): { tokens: number; width: number };
  /** @returns f32[B, N, D] row-major */
  encode(images: readonly Image[]): Promise<Float32Array>;
}

/** Follows points through a clip. */
export interface PointTracker {
  /**
   * @param frames T pictures of one size
   * @param points f32[N, 2] x, y in pixels of frame 0
   * @returns positions f32[T, N, 2] in pixels and `visible` u8[T, N]
   */
  track(frames: readonly Image[], points: Float32Array): { positions: Float32Array; visible: Uint8Array };
}
