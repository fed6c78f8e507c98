import type { Image } from "#core/contracts/image.ts";

/** What moves and is seen behind a simulated robot: takes joint targets, runs when it is told to. */
export interface ArmPlant {
  readonly names: readonly string[];
  /** Hard limits per joint: rad and rad/s. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly velocityLimit: readonly number[];
  /** The robot as URDF, for whoever draws it. */
  readonly urdf?: string;
  /** Name of its camera. */
  readonly camera: string;
  /** Where the joints are to go from now on, rad[J]. */
  setTargets(positions: Float64Array): void;
  /** Runs the physics. */
  advance(durationS: number): void;
  read(): { readonly positions: Float64Array; readonly velocities: Float64Array };
  /** u8[size, size, 3] */
  picture(size: number): Image;
  readonly instruction: string;
  task(): { readonly isOver: boolean; readonly success: boolean; readonly elapsedS: number };
  /** What only experts may see, plain JSON; null when there is nothing of the kind. */
  truth(): unknown;
  /** The task as data, plain JSON. */
  readonly description: unknown;
  /** Sets up the n-th task, at rest. */
  reset(episode: number): void;
  close(): void;
}
