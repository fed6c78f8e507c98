import { z } from "zod";
import type { Clock } from "#core/clock.ts";
import { RobotError } from "#core/errors.ts";
import { msFromNs, nsFromMs, nsFromRosTime } from "../protocol/stamp.ts";
import { services } from "../protocol/topics.ts";
import type { ArmLink } from "./arm-link.ts";
import { type ClockEstimate, ClockOffset } from "./clock-offset.ts";

const answer = z.object({ time: z.object({ sec: z.int(), nanosec: z.int().min(0).max(999_999_999) }) });

/** The robot's clock as far as it is known here. Asked for over the link now and then; stamps of messages help out. */
export class RobotTime {
  private readonly link: ArmLink;
  private readonly clock: Clock;
  private readonly offset = new ClockOffset();
  private lastNs = -(2n ** 63n);
  private isAsking = false;
  private nextAskNs: bigint;
  private failures = 0;

  constructor(link: ArmLink, clock: Clock) {
    this.link = link;
    this.clock = clock;
    this.nextAskNs = clock.nowNs();
  }

  estimate(): ClockEstimate | null {
    return this.offset.estimate(this.clock.nowNs());
  }

  recentRoundTripMs(): number | null {
    return this.offset.recentRoundTripMs();
  }

  /**
   * The robot's time is at least this: a command stamped so is never younger than it looks, whatever the estimate misses.
   * Never goes back.
   *
   * @throws RobotError while nothing is known of the robot's clock
   */
  earliestNs(): bigint {
    const estimate = this.known();
    const nowNs = this.clock.nowNs() + estimate.offsetNs - nsFromMs(estimate.uncertaintyMs);
    if (nowNs > this.lastNs) this.lastNs = nowNs;
    return this.lastNs;
  }

  /** How old a message with this stamp may be, milliseconds; negative when it is stamped in the future. */
  ageMs(stampNs: bigint): number {
    const estimate = this.known();
    return msFromNs(this.clock.nowNs() + estimate.offsetNs - stampNs) + estimate.uncertaintyMs;
  }

  noteStamp(stampNs: bigint): void {
    this.offset.addStamp(stampNs, this.clock.nowNs());
  }

  /** Asks the robot for its time if that is due: once a second, less often while it does not answer. */
  keepUp(): void {
    if (!this.isAsking && this.link.isUp && this.clock.nowNs() >= this.nextAskNs) void this.ask();
  }

  /** One time request. @returns whether it was answered */
  async ask(): Promise<boolean> {
    this.isAsking = true;
    const sentNs = this.clock.nowNs();
    try {
      const { time } = answer.parse(await this.link.call(services.time, {}, 1000));
      this.offset.addExchange(sentNs, nsFromRosTime(time), this.clock.nowNs());
      this.failures = 0;
      return true;
    } catch (error) {
      if (!(error instanceof RobotError || error instanceof z.ZodError)) throw error;
      this.failures += 1;
      return false;
    } finally {
      this.isAsking = false;
      this.nextAskNs = this.clock.nowNs() + nsFromMs(this.failures > 3 ? 10_000 : 1000);
    }
  }

  /** After a reconnection the robot may be another one. */
  reset(): void {
    this.offset.reset();
    this.lastNs = -(2n ** 63n);
    this.nextAskNs = this.clock.nowNs();
  }

  private known(): ClockEstimate {
    const estimate = this.estimate();
    if (!estimate) throw new RobotError("robot: its clock is not known yet. Wait for its first message.");
    return estimate;
  }
}
