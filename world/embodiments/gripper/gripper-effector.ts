/** @file What turns 7-D actions of a gripper into actuator targets: a tool pose that is led along, and an opening. */
import type { ActionSpace } from "#core/contracts/action.ts";
import type { Pose } from "#core/geometry/kinematics.ts";
import {
  multiplyQuaternions,
  normaliseQuaternion,
  type Quaternion,
  quaternionFromAxisAngle,
  quaternionFromMatrix,
  type Vector3,
} from "#core/geometry/quaternion.ts";
import type { Simulation } from "../../physics/simulation.ts";
import type { Effector } from "../embodiment.ts";
import { type Jaws, jawNames } from "./jaws.ts";

/** Control rate of suites with grippers. */
export const gripperRateHz = 5;

const stepM = 0.04;
const turnRad = 0.35;

/** Metres and radians per control step in the world's axes (a rotation vector), and how far open the gripper is to be. */
export const endEffectorDelta: ActionSpace = {
  kind: "end-effector-delta",
  names: ["dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper"],
  units: ["m/step", "m/step", "m/step", "rad/step", "rad/step", "rad/step", "1"],
  limits: {
    low: [-stepM, -stepM, -stepM, -turnRad, -turnRad, -turnRad, 0],
    high: [stepM, stepM, stepM, turnRad, turnRad, turnRad, 1],
  },
  gripper: 6,
};

export const gripperLog = ["tip x", "tip y", "tip z", "tip qx", "tip qy", "tip qz", "tip qw", "opening"] as const;

/** The tip stays inside this box, metres. */
const low: Vector3 = [-0.26, -0.22, 0.012];
const high: Vector3 = [0.26, 0.24, 0.35];

/** What carries the hand through space. */
export interface Carrier {
  /** Puts it at a pose, at rest. @returns the controls f64 that hold it there */
  place(target: Pose): Float64Array;
  /** Controls f64 that bring it to a pose near the last one; null when it cannot get there. */
  lead(target: Pose): Float64Array | null;
  /** The carrier's part of the policy's state. */
  state(): readonly number[];
  memory(): readonly number[];
  remember(memory: readonly number[]): void;
}

/** Points straight down, turned by an angle about the vertical; at 0 the jaws move along X. */
const downward = (yawRad: number): Quaternion =>
  multiplyQuaternions(quaternionFromAxisAngle([0, 0, 1], yawRad), [1, 0, 0, 0]);

export class GripperEffector implements Effector {
  private readonly simulation: Simulation;
  private readonly carrier: Carrier;
  private readonly jaws: Jaws;
  private readonly address: number;
  private target: Pose = { position: [0, 0, 0.2], quaternion: downward(0) };
  private controls: Float64Array = new Float64Array(0);

  constructor(simulation: Simulation, carrier: Carrier, jaws: Jaws) {
    this.simulation = simulation;
    this.carrier = carrier;
    this.jaws = jaws;
    this.address = simulation.joint(jawNames[0]).position;
  }

  /** @param tip [x, y, z, yaw]; the gripper is open */
  place([x, y, z, yaw]: readonly number[]): Float64Array {
    this.target = { position: [x!, y!, z!], quaternion: downward(yaw!) };
    this.controls = this.carrier.place(this.target);
    const open = this.jaws.halfOpenM;
    this.simulation.setPositions(this.address, [open, open]);
    const controls = Float64Array.of(...this.controls, open, open);
    this.simulation.setControls(controls);
    return controls;
  }

  command(action: ArrayLike<number>): Float64Array {
    const { position, quaternion } = this.target;
    const moved = ([0, 1, 2] as const).map((axis) =>
      Math.min(high[axis], Math.max(low[axis], position[axis] + action[axis]!)),
    );
    const turn: Vector3 = [action[3]!, action[4]!, action[5]!];
    const angle = Math.sqrt(turn[0] ** 2 + turn[1] ** 2 + turn[2] ** 2);
    const turned = angle === 0 ? quaternion : multiplyQuaternions(quaternionFromAxisAngle(turn, angle), quaternion);
    const wanted: Pose = { position: [moved[0]!, moved[1]!, moved[2]!], quaternion: normaliseQuaternion(turned) };
    const controls = this.carrier.lead(wanted);
    if (controls) {
      this.target = wanted;
      this.controls = controls;
    }
    const gap = action[6]! * this.jaws.halfOpenM;
    return Float64Array.of(...this.controls, gap, gap);
  }

  /** How far open the jaws are, in [0, 1]. */
  private opening(): number {
    const [left, right] = this.simulation.positions(this.address, 2);
    return (left! + right!) / (2 * this.jaws.halfOpenM);
  }

  logged(): readonly number[] {
    const { position, rotation } = this.simulation.site("tip");
    return [...position, ...quaternionFromMatrix(rotation), this.opening()];
  }

  state(): Float32Array {
    return Float32Array.from([...this.carrier.state(), ...this.logged()]);
  }

  memory(): readonly number[] {
    const { position, quaternion } = this.target;
    return [...position, ...quaternion, this.controls.length, ...this.controls, ...this.carrier.memory()];
  }

  remember([x, y, z, qx, qy, qz, qw, count, ...rest]: readonly number[]): void {
    this.target = { position: [x!, y!, z!], quaternion: [qx!, qy!, qz!, qw!] };
    this.controls = Float64Array.from(rest.slice(0, count));
    this.carrier.remember(rest.slice(count));
  }
}
