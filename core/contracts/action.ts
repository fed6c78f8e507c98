export type ActionKind = "joint-position" | "joint-velocity" | "end-effector-delta" | "planar-delta";

/** Affine map between raw units and a model's range, one entry per dimension: `model = (raw - offset) / scale`. */
export type Normalisation = { readonly offset: readonly number[]; readonly scale: readonly number[] };

/** What the A numbers of an action mean. Two spaces are compatible only when `actionSpaceId` agrees. */
export type ActionSpace = {
  readonly kind: ActionKind;
  /** One name per dimension, in order: A names. */
  readonly names: readonly string[];
  /** One unit per dimension: "m", "rad", "rad/s", "m/step", "1" (gripper opening in [0, 1]). */
  readonly units: readonly string[];
  /** Lowest and highest allowed value per dimension, in `units`. */
  readonly limits: { readonly low: readonly number[]; readonly high: readonly number[] };
  /** Index of the gripper dimension, where there is one. */
  readonly gripper?: number;
  readonly normalisation?: Normalisation;
};

/**
 * Robot actions for the next L control ticks. A latent action is never of this type: it has no `space`.
 *
 * `actions` is f32[L, A] row-major; row i is due at `stampNs + i / rateHz`.
 */
export type ActionChunk = {
  readonly actions: Float32Array;
  readonly length: number;
  readonly rateHz: number;
  readonly space: ActionSpace;
  /** Capture time of the observation that the chunk answers, nanoseconds. */
  readonly stampNs: bigint;
  readonly policyId: string;
};
