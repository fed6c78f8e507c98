import { FormatError } from "#core/errors.ts";
import { decodeJointTrajectory } from "../protocol/messages.ts";
import { msFromNs } from "../protocol/stamp.ts";

const remembered = 512;

/** Listens on the arm's own command topic: what is heard there and was not said by us comes from another controller. */
export class CommandEcho {
  private readonly own = new Set<bigint>();
  private foreignNs: bigint | null = null;
  /** Commands of others that were heard. */
  foreign = 0;

  said(stampNs: bigint): void {
    this.own.add(stampNs);
    if (this.own.size > remembered) this.own.delete(this.own.values().next().value!);
  }

  /** @returns true when somebody else moves this arm. Holds of others are welcome. */
  hear(message: unknown, nowNs: bigint): boolean {
    try {
      const { stampNs, points } = decodeJointTrajectory(message);
      if (points.length === 0 || this.own.has(stampNs)) return false;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    this.foreign += 1;
    this.foreignNs = nowNs;
    return true;
  }

  /** How long ago another controller was heard, or null. */
  sinceMs(nowNs: bigint): number | null {
    return this.foreignNs === null ? null : msFromNs(nowNs - this.foreignNs);
  }
}
