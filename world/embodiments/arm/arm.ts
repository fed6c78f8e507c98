import { limitJointSpeed } from "#core/geometry/kinematics.ts";
import type { Simulation } from "../../physics/simulation.ts";
import { pushRateHz } from "../../tabletop/workspace.ts";
import { type Effector, moveTarget, type Pusher, planarDelta, planarLog } from "../embodiment.ts";
import { armChain, armJointNames, armJointsAt, pushHeightM } from "./chain.ts";
import { armJoints, armModel, armShells, toolRadiusM } from "./model.ts";

/** A 6-joint arm behind the table that holds a rod upright: planar deltas become joint targets by inverse kinematics. */
export const arm: Pusher = {
  id: "arm",
  variants: ["rod"],
  tipRadiusM: toolRadiusM,
  setting: "lab",
  recordsActions: true,
  paint: { shell: armShells, joint: armJoints, tool: ["rod"], mark: ["rod cap"] },
  cameras: ["front", "wrist"],
  space: planarDelta,
  stateNames: [...armJointNames, "tip x", "tip y"],
  stateUnits: [...armJointNames.map(() => "rad"), "m", "m"],
  logNames: planarLog,
  model: () => armModel,
  attach: (simulation) => new ArmEffector(simulation),
};

class ArmEffector implements Effector {
  private readonly simulation: Simulation;
  private readonly address: number;
  private target: [number, number] = [0, 0];
  private joints: Float64Array = new Float64Array(armJointNames.length);

  constructor(simulation: Simulation) {
    this.simulation = simulation;
    this.address = simulation.joint(armJointNames[0]!).position;
  }

  place([x, y]: readonly number[]): Float64Array {
    const joints = armJointsAt([x!, y!], pushHeightM);
    if (!joints) throw new Error(`the arm cannot reach [${x}, ${y}], which lies on the table`);
    this.target = [x!, y!];
    this.joints = joints;
    this.simulation.setPositions(this.address, joints);
    this.simulation.setControls(joints);
    return joints.slice();
  }

  command(delta: ArrayLike<number>): Float64Array {
    this.target = moveTarget(this.target, delta);
    const wanted = armJointsAt(this.target, pushHeightM, this.joints);
    if (wanted) this.joints = limitJointSpeed(armChain, this.joints, wanted, 1 / pushRateHz);
    return this.joints.slice();
  }

  logged(): readonly number[] {
    return this.simulation.site("tip").position.slice(0, 2);
  }

  state(): Float32Array {
    return Float32Array.of(...this.simulation.positions(this.address, armJointNames.length), ...this.logged());
  }

  memory(): readonly number[] {
    return [...this.target, ...this.joints];
  }

  remember([x, y, ...joints]: readonly number[]): void {
    this.target = [x!, y!];
    this.joints = Float64Array.from(joints);
  }
}
