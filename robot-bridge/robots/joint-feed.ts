import { FormatError } from "#core/errors.ts";
import { decodeJointState, type JointState } from "../protocol/messages.ts";
import { secondsFromNs } from "../protocol/stamp.ts";

/** The arm's joints at one instant, in the order that was asked for. */
export type MeasuredJoints = {
  readonly stampNs: bigint;
  /** By our own clock. */
  readonly receivedNs: bigint;
  readonly positions: Float64Array;
  /** rad/s; from the positions where the robot does not say. */
  readonly velocities: Float64Array;
};

/**
 * Picks the arm's joints out of `/joint_states` by name: their order is not promised, and other publishers (a gripper, a
 * mobile base) may use the same topic. Older messages than the newest one are left out.
 */
export class JointFeed {
  latest: MeasuredJoints | null = null;
  /** The last problem with a message, for people. */
  problem: string | null = null;
  private readonly names: readonly string[];
  private readonly seen = new Set<string>();

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** Names that came, for an error message. */
  get seenNames(): readonly string[] {
    return [...this.seen];
  }

  /** @returns the joints, or null when the message has none for us */
  accept(message: unknown, receivedNs: bigint): MeasuredJoints | null {
    let state: JointState;
    try {
      state = decodeJointState(message);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.problem = error.message;
      return null;
    }
    for (const name of state.names) if (this.seen.size < 256) this.seen.add(name);
    const indices = this.names.map((name) => state.names.indexOf(name));
    const missing = this.names.filter((_, joint) => indices[joint]! < 0);
    if (missing.length > 0) {
      // A message without any of our joints is somebody else's.
      if (missing.length < this.names.length) this.problem = `joint states came without ${missing.join(", ")}`;
      return null;
    }
    if (state.positions.length === 0) {
      this.problem = "joint states came without positions";
      return null;
    }
    if (this.latest && state.stampNs <= this.latest.stampNs) return null;
    const positions = Float64Array.from(indices, (index) => state.positions[index]!);
    const velocities =
      state.velocities.length > 0
        ? Float64Array.from(indices, (index) => state.velocities[index]!)
        : this.speedsTo(positions, state.stampNs);
    this.latest = { stampNs: state.stampNs, receivedNs, positions, velocities };
    this.problem = null;
    return this.latest;
  }

  private speedsTo(positions: Float64Array, stampNs: bigint): Float64Array {
    const { latest } = this;
    if (!latest) return new Float64Array(positions.length);
    const seconds = secondsFromNs(stampNs - latest.stampNs);
    return positions.map((value, joint) => (value - latest.positions[joint]!) / seconds);
  }

  /** Forgets what was measured: after a reconnection it says nothing about now. */
  clear(): void {
    this.latest = null;
  }
}
