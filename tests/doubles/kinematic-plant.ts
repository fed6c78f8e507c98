import type { ArmPlant } from "#robot-bridge/simulation/plant.ts";
import { tabletopArm } from "#robot-bridge/simulation/tabletop-arm.ts";
import { armJointsAt, pushHeightM } from "#world/index.ts";

const { joints } = tabletopArm.chain;

/** The tabletop arm without physics: joints trail their targets by 20 ms, the picture is gray. */
export class KinematicPlant implements ArmPlant {
  readonly names: readonly string[];
  readonly low = joints.map(({ low }) => low);
  readonly high = joints.map(({ high }) => high);
  readonly velocityLimit = joints.map(({ velocityLimit }) => velocityLimit);
  readonly camera = "front";
  readonly description = {};
  instruction = "go";
  isOver = false;
  /** The brakes are on: nothing moves. */
  isBlocked = false;
  /** Somebody pushes the first joint away by so much, rad. */
  pushRad = 0;
  private positions: Float64Array = new Float64Array(joints.length);
  private velocities: Float64Array = new Float64Array(joints.length);
  private targets: Float64Array = new Float64Array(joints.length);

  constructor(names: readonly string[] = joints.map(({ name }) => name)) {
    this.names = names;
    this.reset();
  }

  setTargets(positions: Float64Array): void {
    this.targets = positions.slice();
  }

  advance(durationS: number): void {
    if (durationS <= 0) return;
    const share = this.isBlocked ? 0 : 1 - Math.exp(-durationS / 0.02);
    const pushed = this.targets.map((value, joint) => value + (joint === 0 ? this.pushRad : 0));
    const moved = this.positions.map((value, joint) => value + share * (pushed[joint]! - value));
    this.velocities = moved.map((value, joint) => (value - this.positions[joint]!) / durationS);
    this.positions = moved;
  }

  read() {
    return { positions: this.positions.slice(), velocities: this.velocities.slice() };
  }

  picture(size: number) {
    return { data: new Uint8Array(size * size * 3).fill(128), height: size, width: size };
  }

  task() {
    return { isOver: this.isOver, success: this.isOver, elapsedS: 0 };
  }

  truth(): unknown {
    return null;
  }

  reset(): void {
    this.positions = armJointsAt([0, 0], pushHeightM)!;
    this.targets = this.positions.slice();
    this.velocities.fill(0);
  }

  close(): void {}
}
