/**
 * @file What any policy's command must pass before it reaches a robot: one pure function from limits, measured state,
 * previous command and requested command to the command that may be sent, or a hold. It knows no policy, no socket and
 * no clock. Every bound is an interval of positions, so clamping is idempotent; the velocity bound leaves room to brake:
 * `v dt + v^2 / 2a <= distance to the limit`, so that obeying the acceleration limit never means leaving the range,
 * whatever the next time step is.
 */
import { ConfigError } from "#core/errors.ts";

/** Per joint, in the robot's own order. */
export type SafetyLimits = {
  /** Hard range, rad. */
  readonly positionLow: readonly number[];
  readonly positionHigh: readonly number[];
  /** Kept free inside the hard range, rad. */
  readonly marginRad: number;
  /** Largest speed, rad/s, > 0. */
  readonly velocity: readonly number[];
  /** Largest change of speed, rad/s^2, > 0. */
  readonly acceleration: readonly number[];
  /** A first command farther than this from the measured position is refused, or approached slowly. */
  readonly firstCommandRad: number;
  readonly firstCommand: "refuse" | "ramp";
  /** Share of the velocity limit that a ramp may use, (0, 1]. */
  readonly rampShare: number;
  /** A command that is farther than this from the measured position means the arm does not follow: hold. */
  readonly trackingErrorRad: number;
  /** Longest time between commands that counts as motion time, s: a pause is no licence to jump. */
  readonly maxStepS: number;
};

/** Commands that follow each other faster are refused, s: over shorter steps a speed is mostly rounding. */
export const shortestStepS = 1e-3;

/** The measured joints, rad. */
export type MeasuredState = { readonly positions: ArrayLike<number> };

/** What was sent last. `ramping` stays true until the first requested position has been reached. */
export type SentCommand = {
  readonly positions: Float64Array;
  /** rad/s, over the step that led to `positions`. */
  readonly velocities: Float64Array;
  readonly ramping: boolean;
};

export type SafetyVerdict =
  | { readonly kind: "command"; readonly command: SentCommand; readonly reasons: readonly string[] }
  | { readonly kind: "hold"; readonly reasons: readonly string[] };

/** @throws ConfigError when the limits contradict each other: nothing could be guaranteed then */
export function checkLimits(limits: SafetyLimits): void {
  const joints = limits.positionLow.length;
  const wrong = (what: string, got: unknown) =>
    new ConfigError(`safety limits: ${what}, got ${got}. Correct the limits.`);
  for (const name of ["positionHigh", "velocity", "acceleration"] as const) {
    if (limits[name].length !== joints) throw wrong(`${name} must have ${joints} entries`, limits[name].length);
  }
  for (let joint = 0; joint < joints; joint++) {
    const roomRad = limits.positionHigh[joint]! - limits.positionLow[joint]! - 2 * limits.marginRad;
    if (!(roomRad > 0)) throw wrong(`joint ${joint} must keep a range inside its margins`, `${roomRad} rad`);
    for (const name of ["velocity", "acceleration"] as const) {
      const value = limits[name][joint]!;
      if (!(value > 0 && value < Infinity)) throw wrong(`${name} of joint ${joint} must be above 0`, value);
    }
  }
  const { marginRad, firstCommandRad, trackingErrorRad, maxStepS, rampShare } = limits;
  for (const [name, value] of Object.entries({ firstCommandRad, trackingErrorRad, maxStepS, rampShare })) {
    if (!(value > 0)) throw wrong(`${name} must be above 0`, value);
  }
  if (!(marginRad >= 0)) throw wrong("marginRad must be 0 or more", marginRad);
  if (rampShare > 1) throw wrong("rampShare must be at most 1", rampShare);
}

const hold = (...reasons: string[]): SafetyVerdict => ({ kind: "hold", reasons });

const allFinite = (values: ArrayLike<number>): boolean => {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return false;
  return true;
};

const farthest = (left: ArrayLike<number>, right: ArrayLike<number>): number => {
  let distance = 0;
  for (let index = 0; index < left.length; index++) {
    distance = Math.max(distance, Math.abs(left[index]! - right[index]!));
  }
  return distance;
};

/**
 * Limits one joint-position command.
 *
 * @param previous the last command sent since arming, or null for the first one
 * @param requested rad[J], anything at all
 * @param dtS time since the previous command, s
 */
export function limitCommand(
  limits: SafetyLimits,
  measured: MeasuredState,
  previous: SentCommand | null,
  requested: ArrayLike<number>,
  dtS: number,
): SafetyVerdict {
  const joints = limits.positionLow.length;
  if (requested.length !== joints) return hold(`the command has ${requested.length} values for ${joints} joints`);
  if (!allFinite(requested)) return hold("the command is not finite");
  if (measured.positions.length !== joints) return hold(`${measured.positions.length} joints were measured`);
  if (!allFinite(measured.positions)) return hold("the measured position is not finite");
  if (!(dtS >= shortestStepS) || !Number.isFinite(dtS)) return hold(`the time step is ${dtS} s`);

  const start = startOf(previous, measured, dtS > limits.maxStepS);
  if (!allFinite(start.positions) || !allFinite(start.velocities)) return hold("the previous command is not finite");
  const farRad = farthest(requested, measured.positions);
  if (previous === null && limits.firstCommand === "refuse" && farRad > limits.firstCommandRad) {
    return hold(`the first command is ${farRad.toFixed(3)} rad away from the arm`);
  }
  if (previous !== null && farthest(previous.positions, measured.positions) > limits.trackingErrorRad) {
    return hold("the arm does not follow");
  }
  const isRamping = previous === null ? farRad > limits.firstCommandRad : previous.ramping;
  return clampToReach(limits, start, requested, Math.min(dtS, limits.maxStepS), isRamping);
}

/** Where the step starts: at the last command, at rest after a pause; for the first command where the arm is. */
function startOf(previous: SentCommand | null, { positions }: MeasuredState, hasPaused: boolean): SentCommand {
  if (previous && !hasPaused) return previous;
  const from = Float64Array.from(previous?.positions ?? positions);
  return { positions: from, velocities: new Float64Array(from.length), ramping: previous?.ramping ?? false };
}

function clampToReach(
  limits: SafetyLimits,
  start: SentCommand,
  requested: ArrayLike<number>,
  dtS: number,
  isRamping: boolean,
): SafetyVerdict {
  const joints = requested.length;
  const positions = new Float64Array(joints);
  const velocities = new Float64Array(joints);
  const reasons = new Set<string>();
  const share = isRamping ? limits.rampShare : 1;
  for (let joint = 0; joint < joints; joint++) {
    const { low, high, reason } = reachable(
      limits,
      joint,
      start.positions[joint]!,
      start.velocities[joint]!,
      dtS,
      share,
    );
    const wanted = requested[joint]!;
    positions[joint] = clamp(wanted, low, high);
    velocities[joint] = (positions[joint]! - start.positions[joint]!) / dtS;
    if (positions[joint] !== wanted) reasons.add(reason(wanted));
  }
  const hasArrived = farthest(positions, requested) <= limits.firstCommandRad;
  if (isRamping) reasons.add("ramp to the first command");
  return {
    kind: "command",
    command: { positions, velocities, ramping: isRamping && !hasArrived },
    reasons: [...reasons],
  };
}

/** The interval of positions that one joint may be sent to in this step, and which limit ends it. */
function reachable(
  limits: SafetyLimits,
  joint: number,
  position: number,
  velocity: number,
  dtS: number,
  share: number,
): { low: number; high: number; reason: (wanted: number) => string } {
  const floor = limits.positionLow[joint]! + limits.marginRad;
  const ceiling = limits.positionHigh[joint]! - limits.marginRad;
  const acceleration = limits.acceleration[joint]!;
  const fastest = limits.velocity[joint]! * share;
  const change = acceleration * dtS;
  // Fastest speed towards a limit that can still be braked away in time; none when the arm is past the limit.
  const braking = (room: number) =>
    room <= 0 ? 0 : acceleration * (Math.sqrt(dtS * dtS + (2 * room) / acceleration) - dtS);
  const upward = Math.min(fastest, braking(ceiling - position));
  const downward = Math.min(fastest, braking(position - floor));
  const highest = clamp(velocity + change, -downward, upward);
  const lowest = clamp(velocity - change, -downward, upward);
  // Rounding must not lead out of the range, and nothing may lead farther out of it.
  const inRange = (value: number) => clamp(value, Math.min(floor, position), Math.max(ceiling, position));
  const reason = (wanted: number) => {
    const [bound, speed] = wanted > position + highest * dtS ? [upward, highest] : [downward, -lowest];
    if (speed < bound) return "acceleration limit";
    return bound < fastest ? "position limit" : "velocity limit";
  };
  return { low: inRange(position + lowest * dtS), high: inRange(position + highest * dtS), reason };
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
