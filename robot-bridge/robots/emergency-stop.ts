import { type Clock, systemClock } from "#core/clock.ts";
import { FormatError, RobotError } from "#core/errors.ts";
import { decodeBool, encodeBool, messageTypes } from "../protocol/messages.ts";
import { msFromNs } from "../protocol/stamp.ts";
import { topics } from "../protocol/topics.ts";
import type { ArmLink } from "./arm-link.ts";

export type EstopOptions = {
  /** A link of its own: nothing else may delay it. It is opened and closed here. */
  readonly link: ArmLink;
  /** False releases the e-stop; the robot still has to be armed again. */
  readonly isOn: boolean;
  readonly topic?: string;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
};

const repeatMs = 50;
const leastRepeats = 3;

/**
 * Presses or releases the e-stop: a latched message, repeated until the robot's side has sent it round at least once. It
 * stops what listens on the topic (our bridge, the simulated arm, drivers that were told to). It is no safety-rated stop.
 *
 * @returns how long it took until the message came round, ms
 * @throws RobotError when the server cannot be reached, or nothing came round in time: use the robot's own e-stop
 */
export async function setEstop({
  link,
  isOn,
  topic = topics.estop,
  timeoutMs = 2000,
  clock = systemClock,
}: EstopOptions): Promise<{ readonly confirmedMs: number }> {
  const startNs = clock.nowNs();
  const elapsedMs = () => msFromNs(clock.nowNs() - startNs);
  let sent = 0;
  let confirmedMs: number | null = null;
  link.subscribe(topic, messageTypes.bool, (message) => {
    // A latched message of before says nothing about ours.
    if (sent > 0 && confirmedMs === null && isEstop(message, isOn)) confirmedMs = elapsedMs();
  });
  try {
    await link.open();
    while (confirmedMs === null || sent < leastRepeats) {
      if (elapsedMs() > timeoutMs) {
        throw new RobotError(
          `e-stop: ${topic} must come round within ${timeoutMs} ms, but did not. Use the robot's own e-stop.`,
        );
      }
      if (link.publish(topic, messageTypes.bool, encodeBool(isOn), { latch: true })) sent += 1;
      await clock.sleep(repeatMs);
    }
    return { confirmedMs };
  } finally {
    await link.close();
  }
}

function isEstop(message: unknown, isOn: boolean): boolean {
  try {
    return decodeBool(message) === isOn;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return false;
  }
}
