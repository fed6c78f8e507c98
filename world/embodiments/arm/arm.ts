import type { Simulation } from "../../physics/simulation.ts";
import { controlRateHz } from "../../tabletop/workspace.ts";
import { type Effector, type Embodiment, moveTarget, planarDelta } from "../embodiment.ts";
import { armChain, armJointNames, armJointsAt, pushHeightM } from "./chain.ts";
import { armModel, toolRadiusM } from "./model.ts";

/** A 6-joint arm behind the table that holds a rod upright: planar deltas become joint targets by inverse kinematics. */
export const arm: Embodiment = {
  id: "arm",
  variants: ["rod"],
  tipRadiusM: toolRadiusM,
  recordsActions: true,
  space: planarDelta,
  stateNames: [...armJointNames, "tip x", "tip y"],
  stateUnits: [...armJointNames.map(() => "rad"), "m", "m"],
  model: () => armModel,
  attach: (simulation) => new ArmEffector(simulation),
};

/** Moves joint targets towards `wanted`, all in proportion, so that none is faster than its limit. */
export function limitSpeed(from: ArrayLike<number>, wanted: ArrayLike<number>, durationS: number): Float64Array {
  const slowdown = armChain.joints.reduce(
    (most, { velocityLimit }, index) =>
      Math.max(most, Math.abs(wanted[index]! - from[index]!) / (velocityLimit * durationS)),
    1,
  );
  return Float64Array.from(from, (position, index) => position + (wanted[index]! - position) / slowdown);
}

class ArmEffector implements Effector {
  private readonly simulation: Simulation;
  private readonly address: number;
  private target: [number, number] = [0, 0];
  private joints: Float64Array = new Float64Array(armJointNames.length);

  constructor(simulation: Simulation) {
    this.simulation = simulation;
    this.address = simulation.joint(armJointNames[0]!).position;
  }

  place(tip: readonly [number, number]): void {
    const joints = armJointsAt(tip, pushHeightM);
    if (!joints) throw new Error(`the arm cannot reach [${tip}], which lies on the table`);
    this.target = [tip[0], tip[1]];
    this.joints = joints;
    this.simulation.setPositions(this.address, joints);
    this.simulation.setControls(joints);
  }

  command(delta: ArrayLike<number>): Float64Array {
    this.target = moveTarget(this.target, delta);
    const wanted = armJointsAt(this.target, pushHeightM, this.joints);
    if (wanted) this.joints = limitSpeed(this.joints, wanted, 1 / controlRateHz);
    return this.joints.slice();
  }

  tip(): [number, number] {
    const [x, y] = this.simulation.site("tip").position;
    return [x, y];
  }

  state(): Float32Array {
    return Float32Array.of(...this.simulation.positions(this.address, armJointNames.length), ...this.tip());
  }

  memory(): readonly number[] {
    return [...this.target, ...this.joints];
  }

  remember([x, y, ...joints]: readonly number[]): void {
    this.target = [x!, y!];
    this.joints = Float64Array.from(joints);
  }
}
