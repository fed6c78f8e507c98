import type { OrientationGoal } from "#core/geometry/inverse-kinematics.ts";
import type { KinematicChain } from "#core/geometry/kinematics.ts";
import type { Workspace } from "../joint-commands.ts";
import type { SafetyLimits } from "../safety.ts";

/** What must be known of an arm before it may be moved. */
export type ArmDescription = {
  readonly name: string;
  /** Joint names as in `/joint_states`, limits and kinematics. */
  readonly chain: KinematicChain;
  /** Largest change of speed per joint of the chain, rad/s^2. */
  readonly accelerationLimit: readonly number[];
  /** What policies for this arm are shown as state: joint names, and "tip x", "tip y", "tip z" (metres in the world). */
  readonly stateNames: readonly string[];
  /** For planar policies: where the tool works. */
  readonly planar?: {
    readonly toolHeightM: number;
    readonly orientation: OrientationGoal;
    readonly workspace: Workspace;
  };
};

export type SafetyTuning = Omit<SafetyLimits, "positionLow" | "positionHigh" | "velocity" | "acceleration"> & {
  /** Shares of the arm's own limits that are used, (0, 1]. */
  readonly velocityShare: number;
  readonly accelerationShare: number;
};

export const defaultSafetyTuning: SafetyTuning = {
  marginRad: 0.05,
  velocityShare: 0.5,
  accelerationShare: 0.5,
  firstCommandRad: 0.1,
  firstCommand: "refuse",
  rampShare: 0.25,
  trackingErrorRad: 0.3,
  maxStepS: 0.1,
};

/** The limits that every command to this arm must keep. */
export function safetyLimits({ chain, accelerationLimit }: ArmDescription, tuning: SafetyTuning): SafetyLimits {
  const { velocityShare, accelerationShare, ...rest } = tuning;
  return {
    ...rest,
    positionLow: chain.joints.map(({ low }) => low),
    positionHigh: chain.joints.map(({ high }) => high),
    velocity: chain.joints.map(({ velocityLimit }) => velocityShare * velocityLimit),
    acceleration: accelerationLimit.map((limit) => accelerationShare * limit),
  };
}
