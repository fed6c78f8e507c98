import type { TaskInstance } from "#core/contracts/world.ts";
import type { Scene } from "./scene.ts";

/**
 * One episode as the viewer plays it and as a replay checks it; stored with MessagePack (`*.rollout`).
 *
 * Row t of `geomPoses`/`cameraPoses` is the world when observation t was taken; `actions` row t is what was sent then.
 */
export type RolloutLog = {
  readonly version: 1;
  readonly instance: TaskInstance;
  readonly policyId: string;
  readonly rateHz: number;
  readonly frames: number;
  readonly scene: Scene;
  /** f32[T, G, 7]: position xyz in metres, quaternion [x, y, z, w] */
  readonly geomPoses: Float32Array;
  /** f32[T, C, 7] */
  readonly cameraPoses: Float32Array;
  /** f32[T, A] as sent, after limits */
  readonly actions: Float32Array;
  readonly actionNames: readonly string[];
  /**
   * f64[T - 1, U]: the actuator targets that each action became. Replays take these, because targets made with Math.sin
   * and its like differ between JavaScript engines.
   */
  readonly controls: Float64Array;
  /** SHA-256 of the final physics state, for replays. */
  readonly stateDigest: string;
  readonly success: boolean;
  readonly reasons: readonly string[];
  /** Camera name to mp4 file beside the log, where a video was written. */
  readonly videos: Readonly<Record<string, string>>;
  /** What the policy meant to do, where it was written down: drawn beside what was done. */
  readonly chunks?: PredictedChunks;
};

/** All chunks of one episode; chunk n answers observation `frames[n]` and its row i is meant for frame `frames[n] + i`. */
export type PredictedChunks = {
  /** L, rows per chunk */
  readonly length: number;
  /** i32[N], ascending */
  readonly frames: Int32Array;
  /** f32[N, L, A] in the units of `RolloutLog.actions`, before limits */
  readonly actions: Float32Array;
};
