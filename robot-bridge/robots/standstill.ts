import { nsFromMs } from "../protocol/stamp.ts";
import type { MeasuredJoints } from "./joint-feed.ts";

/** Below this speed a joint counts as at rest, rad/s: above the noise of common encoders. */
const restSpeedRadS = 0.05;
const repeatMs = 50;
const patienceMs = 2000;

export const isAtRest = ({ velocities }: MeasuredJoints): boolean =>
  velocities.every((speed) => Math.abs(speed) < restSpeedRadS);

/**
 * A hold that is repeated until the arm is seen to be at rest: one message may get lost, and only the joints tell whether
 * it was obeyed.
 */
export class Standstill {
  private readonly say: (target: Float64Array | null) => void;
  private readonly giveUp: () => void;
  private target: Float64Array | null = null;
  private startNs: bigint | null = null;
  private nextNs = 0n;

  /** @param say sends one hold at the target joints; `giveUp` is called when the arm moves on for two seconds */
  constructor(say: (target: Float64Array | null) => void, giveUp: () => void) {
    this.say = say;
    this.giveUp = giveUp;
  }

  get isUnderWay(): boolean {
    return this.startNs !== null;
  }

  /** @param target rad[J] where the arm is to stay; null when nobody knows where it is */
  begin(target: Float64Array | null, nowNs: bigint): void {
    this.target = target;
    this.startNs = nowNs;
    this.nextNs = nowNs + nsFromMs(repeatMs);
    this.say(target);
  }

  tick(measured: MeasuredJoints | null, nowNs: bigint): void {
    if (this.startNs === null || nowNs < this.nextNs) return;
    // What was measured before the hold says nothing about it.
    if (measured && measured.receivedNs > this.startNs && isAtRest(measured)) {
      this.startNs = null;
      return;
    }
    if (nowNs - this.startNs > nsFromMs(patienceMs)) {
      this.startNs = null;
      this.giveUp();
      return;
    }
    this.nextNs = nowNs + nsFromMs(repeatMs);
    this.say(this.target);
  }

  cancel(): void {
    this.startNs = null;
  }
}
