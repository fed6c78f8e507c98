import { inverseKinematics } from "#core/geometry/inverse-kinematics.ts";
import { type KinematicChain, limitJointSpeed, type Pose } from "#core/geometry/kinematics.ts";
import type { Simulation } from "../../physics/simulation.ts";
import { type Carrier, gripperRateHz } from "./gripper-effector.ts";

/** A serial arm as carrier: poses become joint targets by inverse kinematics, no joint faster than its limit. */
export class ArmCarrier implements Carrier {
  private readonly simulation: Simulation;
  private readonly chain: KinematicChain;
  private readonly address: number;
  /** A bent pose over the table: from there every place on it is near. */
  private readonly bent: readonly number[];
  private joints: Float64Array;

  constructor(simulation: Simulation, chain: KinematicChain, bent: readonly number[]) {
    this.simulation = simulation;
    this.chain = chain;
    this.bent = bent;
    this.joints = Float64Array.from(bent);
    this.address = simulation.joint(chain.joints[0]!.name).position;
  }

  place(target: Pose): Float64Array {
    const { positions, isSolved } = inverseKinematics(this.chain, target, this.bent);
    if (!isSolved) throw new Error(`the arm cannot start at [${target.position}], which the suite asks for`);
    this.joints = positions;
    this.simulation.setPositions(this.address, positions);
    return positions;
  }

  lead(target: Pose): Float64Array | null {
    const { positions, isSolved } = inverseKinematics(this.chain, target, this.joints, { iterations: 30 });
    if (!isSolved) return null;
    this.joints = limitJointSpeed(this.chain, this.joints, positions, 1 / gripperRateHz);
    return this.joints.slice();
  }

  state(): readonly number[] {
    return [...this.simulation.positions(this.address, this.chain.joints.length)];
  }

  memory(): readonly number[] {
    return [...this.joints];
  }

  remember(memory: readonly number[]): void {
    this.joints = Float64Array.from(memory);
  }
}
