/**
 * @file What stands for ros2_controllers' joint_trajectory_controller in the simulated arm. From its code (2024 to 2026):
 * which trajectories are refused (`validate_trajectory_msg`), how they are sampled (`Trajectory::sample`: linear, or cubic
 * where both ends have velocities; points that are past are skipped), stamp 0 means now. Beyond it: a trajectory that was
 * overtaken by a newer one is refused, the setpoint keeps position and velocity limits (ros2_control does that in its
 * resource manager), and every executed command is counted with its age.
 */
import type { JointTrajectory } from "../protocol/messages.ts";
import { msFromNs, nsFromMs, secondsFromNs } from "../protocol/stamp.ts";

export type ControllerOptions = {
  readonly names: readonly string[];
  readonly positionLow: readonly number[];
  readonly positionHigh: readonly number[];
  /** rad/s */
  readonly velocity: readonly number[];
  /** "refuse": as ros2_controllers since pull request 902; "hold": as before, and as ROS 1. */
  readonly emptyTrajectory: "hold" | "refuse";
  /** This long after a trajectory's end the controller counts as idle. */
  readonly commandTimeoutMs: number;
};

export type Acceptance = { readonly isAccepted: true } | { readonly isAccepted: false; readonly reason: string };

export type ControllerCounters = {
  readonly accepted: number;
  readonly holds: number;
  /** Commands whose motion began. */
  readonly executed: number;
  /** Of these, older than their time-to-live at that moment. Must be 0. */
  readonly executedTooOld: number;
  /** Of these, without a stamp: their age is not known. */
  readonly executedUnstamped: number;
  /** Age of the oldest executed command, ms. */
  readonly oldestMs: number;
  readonly refused: Readonly<Record<string, number>>;
};

type Point = { readonly atNs: bigint; readonly positions: Float64Array; readonly velocities: Float64Array };

type Active = {
  readonly stampNs: bigint;
  readonly endNs: bigint;
  readonly points: readonly Point[];
  /** Where the setpoint was when the trajectory came. */
  readonly before: Point;
  isExecuted: boolean;
};

const restingVelocity = 1.2e-7;

export class TrajectoryController {
  private readonly options: ControllerOptions;
  private active: Active | null = null;
  private setpoint: Float64Array;
  private setpointVelocity: Float64Array;
  private sampledNs: bigint | null = null;
  private lastStampNs = 0n;
  private readonly refused: Record<string, number> = {};
  private accepted = 0;
  private holds = 0;
  private executed = 0;
  private executedTooOld = 0;
  private executedUnstamped = 0;
  private oldestMs = 0;

  constructor(options: ControllerOptions, positions: ArrayLike<number>) {
    this.options = options;
    this.setpoint = Float64Array.from(positions);
    this.setpointVelocity = new Float64Array(positions.length);
  }

  get counters(): ControllerCounters {
    const { accepted, holds, executed, executedTooOld, executedUnstamped, oldestMs } = this;
    return { accepted, holds, executed, executedTooOld, executedUnstamped, oldestMs, refused: { ...this.refused } };
  }

  /** Puts the setpoint somewhere, at rest. */
  reset(positions: ArrayLike<number>): void {
    this.active = null;
    this.setpoint = Float64Array.from(positions);
    this.setpointVelocity = new Float64Array(positions.length);
    this.sampledNs = null;
  }

  /** Whether a trajectory is under way or ended less than the command timeout ago. */
  isBusy(nowNs: bigint): boolean {
    return this.active !== null && nowNs <= this.active.endNs + nsFromMs(this.options.commandTimeoutMs);
  }

  /** Takes a trajectory from the topic; an accepted one replaces the one before. */
  accept(trajectory: JointTrajectory, nowNs: bigint): Acceptance {
    const problem = this.problemOf(trajectory, nowNs);
    if (problem) {
      this.refuse(problem);
      return { isAccepted: false, reason: problem };
    }
    if (trajectory.points.length === 0) {
      this.hold();
      return { isAccepted: true };
    }
    this.accepted += 1;
    if (trajectory.stampNs !== 0n) this.lastStampNs = trajectory.stampNs;
    const columns = this.options.names.map((name) => trajectory.names.indexOf(name));
    const startNs = trajectory.stampNs === 0n ? nowNs : trajectory.stampNs;
    const inOrder = (values: Float64Array) => (values.length === 0 ? values : columns.map((column) => values[column]!));
    const points = trajectory.points.map(({ positions, velocities, timeFromStartNs }) => ({
      atNs: startNs + timeFromStartNs,
      positions: Float64Array.from(inOrder(positions)),
      velocities: Float64Array.from(inOrder(velocities)),
    }));
    const before = { atNs: nowNs, positions: this.setpoint.slice(), velocities: this.setpointVelocity.slice() };
    const endNs = points.at(-1)!.atNs;
    this.active = { stampNs: trajectory.stampNs, endNs, points, before, isExecuted: false };
    return { isAccepted: true };
  }

  /** Counts a command that is not even looked at. */
  refuse(reason: string): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }

  /** Stops where the setpoint is. */
  hold(): void {
    this.holds += 1;
    this.active = null;
    this.setpointVelocity.fill(0);
  }

  /** The joints' setpoint now, rad[J]. */
  sample(nowNs: bigint): Float64Array {
    const elapsedS = this.sampledNs === null ? 0 : secondsFromNs(nowNs - this.sampledNs);
    this.sampledNs = nowNs;
    const { active } = this;
    if (active && !active.isExecuted && !this.begin(active, nowNs)) this.active = null;
    if (!this.active) {
      this.setpointVelocity.fill(0);
      return this.setpoint.slice();
    }
    const wanted = sampleTrajectory(this.active, nowNs);
    const { positionLow, positionHigh, velocity } = this.options;
    const moved = this.setpoint.map((from, joint) => {
      const reach = velocity[joint]! * elapsedS;
      const limited = Math.min(from + reach, Math.max(from - reach, wanted[joint]!));
      return Math.min(positionHigh[joint]!, Math.max(positionLow[joint]!, limited));
    });
    if (elapsedS > 0) {
      this.setpointVelocity = moved.map((value, joint) => (value - this.setpoint[joint]!) / elapsedS);
    }
    this.setpoint = moved;
    return moved.slice();
  }

  /** The moment a trajectory starts to move the arm. @returns false when it has become too old since it was accepted */
  private begin(active: Active, nowNs: bigint): boolean {
    if (active.stampNs !== 0n && nowNs > active.endNs) {
      this.refuse("too old");
      return false;
    }
    active.isExecuted = true;
    this.executed += 1;
    if (active.stampNs === 0n) this.executedUnstamped += 1;
    else {
      const ageMs = msFromNs(nowNs - active.stampNs);
      this.oldestMs = Math.max(this.oldestMs, ageMs);
      // Counted apart from the rule above, so that a mistake there would show.
      if (ageMs > msFromNs(active.endNs - active.stampNs)) this.executedTooOld += 1;
    }
    return true;
  }

  private problemOf({ names, points, stampNs }: JointTrajectory, nowNs: bigint): string | null {
    const { options } = this;
    if (names.length !== options.names.length) return "joints don't match the controller's joints";
    if (!options.names.every((name) => names.includes(name))) return "a joint is not the controller's";
    const last = points.at(-1);
    if (!last) return options.emptyTrajectory === "refuse" ? "empty trajectory" : null;
    if (stampNs !== 0n && nowNs > stampNs + last.timeFromStartNs) return "too old";
    if (last.velocities.some((value) => Math.abs(value) > restingVelocity)) return "does not end at rest";
    const isWhole = points.every((point) => [...point.positions, ...point.velocities].every(Number.isFinite));
    if (!isWhole) return "a value is not finite";
    return stampNs !== 0n && stampNs <= this.lastStampNs ? "overtaken by a newer one" : null;
  }
}

/** As `Trajectory::sample`: from the setpoint before to the first point, then from point to point, then the last one. */
function sampleTrajectory({ points, before }: Active, nowNs: bigint): Float64Array {
  const next = points.findIndex(({ atNs }) => nowNs < atNs);
  if (next < 0) return points.at(-1)!.positions;
  const from = next === 0 ? before : points[next - 1]!;
  return interpolate(from, points[next]!, nowNs);
}

function interpolate(from: Point, to: Point, nowNs: bigint): Float64Array {
  const spanS = secondsFromNs(to.atNs - from.atNs);
  const s = Math.min(1, Math.max(0, secondsFromNs(nowNs - from.atNs) / spanS));
  if (from.velocities.length === 0 || to.velocities.length === 0) {
    return from.positions.map((value, joint) => value + s * (to.positions[joint]! - value));
  }
  // Cubic Hermite.
  const [a, b] = [s * s * (3 - 2 * s), s * (1 - s)];
  return from.positions.map((value, joint) => {
    const speeds = (1 - s) * from.velocities[joint]! - s * to.velocities[joint]!;
    return value + a * (to.positions[joint]! - value) + b * spanS * speeds;
  });
}
