import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { checkLimits, limitCommand, type SafetyLimits, type SentCommand } from "#robot-bridge/safety.ts";

const limits: SafetyLimits = {
  positionLow: [-2, -1],
  positionHigh: [2, 1],
  marginRad: 0.1,
  velocity: [1, 0.5],
  acceleration: [5, 2],
  firstCommandRad: 0.1,
  firstCommand: "ramp",
  rampShare: 0.25,
  trackingErrorRad: 0.3,
  maxStepS: 0.1,
};
const at = (...positions: number[]) => ({ positions });
const sent = (positions: number[], velocities: number[], ramping = false): SentCommand => ({
  positions: Float64Array.from(positions),
  velocities: Float64Array.from(velocities),
  ramping,
});
const command = (verdict: ReturnType<typeof limitCommand>) => {
  if (verdict.kind !== "command") throw new Error(`held: ${verdict.reasons.join(", ")}`);
  return verdict;
};

describe("limitCommand", () => {
  it("lets a gentle command through unchanged", () => {
    const verdict = command(limitCommand(limits, at(0, 0), sent([0, 0], [0, 0]), [0.002, -0.0008], 0.02));
    expect(verdict.command.positions).toBeAllClose([0.002, -0.0008]);
    expect(verdict.command.velocities).toBeAllClose([0.1, -0.04]);
    expect(verdict.reasons).toEqual([]);
  });

  it("starts from rest no faster than the acceleration limit allows", () => {
    // 5 rad/s^2 over 0.02 s gives 0.1 rad/s, which moves 0.002 rad in the step.
    const verdict = command(limitCommand(limits, at(0, 0), sent([0, 0], [0, 0]), [1, 0], 0.02));
    expect(verdict.command.positions).toBeAllClose([0.002, 0]);
    expect(verdict.reasons).toEqual(["acceleration limit"]);
  });

  it("moves at most at the velocity limit", () => {
    const verdict = command(limitCommand(limits, at(0, 0), sent([0, 0], [1, 0]), [1, 0], 0.02));
    expect(verdict.command.positions).toBeAllClose([0.02, 0]);
    expect(verdict.reasons).toEqual(["velocity limit"]);
  });

  it("brakes early enough to stop at the margin, as v dt + v^2 / 2a says", () => {
    // 0.05 rad of room, a = 5, dt = 0.02: v = 5 (sqrt(0.0004 + 0.02) - 0.02) = 0.614143.
    const verdict = command(limitCommand(limits, at(1.85, 0), sent([1.85, 0], [0.7, 0]), [5, 0], 0.02));
    expect(verdict.command.velocities[0]).toBeCloseTo(0.614143, 5);
    expect(verdict.reasons).toEqual(["position limit"]);
  });

  it("ends exactly at the margin when pushed against it for a while", () => {
    let previous = sent([1.5, 0], [0, 0]);
    for (let step = 0; step < 200; step++) {
      previous = command(limitCommand(limits, previous, previous, [99, 0], 0.02)).command;
    }
    expect(previous.positions[0]).toBeCloseTo(1.9, 6);
    expect(previous.positions[0]).toBeLessThanOrEqual(1.9);
  });

  it("lets an arm outside its range stay or come back, but go no farther", () => {
    const start = sent([2.3, 0], [0, 0]);
    expect(command(limitCommand(limits, start, start, [2.5, 0], 0.02)).command.positions[0]).toBe(2.3);
    expect(command(limitCommand(limits, start, start, [2.3, 0], 0.02)).command.positions[0]).toBe(2.3);
    expect(command(limitCommand(limits, start, start, [0, 0], 0.02)).command.positions[0]).toBeCloseTo(2.298, 9);
  });

  it("takes the arm to be at rest after a pause, and counts no more than the longest step", () => {
    // From rest with dt = 0.1: 0.5 rad/s, 0.05 rad; going on at 1 rad/s would have been 0.1 rad.
    const verdict = command(limitCommand(limits, at(0, 0), sent([0, 0], [1, 0]), [1, 0], 3));
    expect(verdict.command.positions[0]).toBeCloseTo(0.05, 9);
  });

  it("approaches a first command that is far away slowly, until it is near", () => {
    let verdict = command(limitCommand(limits, at(0, 0), null, [0.5, 0], 0.02));
    expect(verdict.reasons).toContain("ramp to the first command");
    let fastest = 0;
    let steps = 0;
    while (verdict.command.ramping) {
      verdict = command(limitCommand(limits, verdict.command, verdict.command, [0.5, 0], 0.02));
      if (verdict.command.ramping) fastest = Math.max(fastest, verdict.command.velocities[0]!);
      steps += 1;
    }
    expect(fastest).toBeCloseTo(0.25, 9);
    expect(0.5 - verdict.command.positions[0]!).toBeLessThanOrEqual(limits.firstCommandRad);
    expect(steps).toBeGreaterThan(60);
  });

  it("refuses a first command that is far away when told to", () => {
    const verdict = limitCommand({ ...limits, firstCommand: "refuse" }, at(0, 0), null, [0.5, 0], 0.02);
    expect(verdict).toEqual({ kind: "hold", reasons: ["the first command is 0.500 rad away from the arm"] });
  });

  it.each([
    ["a value that is not finite", [Number.NaN, 0], at(0, 0), 0.02, "the command is not finite"],
    ["an infinite value", [0, -Infinity], at(0, 0), 0.02, "the command is not finite"],
    ["too few values", [0], at(0, 0), 0.02, "the command has 1 values for 2 joints"],
    ["too many values", [0, 0, 0], at(0, 0), 0.02, "the command has 3 values for 2 joints"],
    ["a measurement with a hole", [0, 0], at(0, Number.NaN), 0.02, "the measured position is not finite"],
    ["a measurement of another arm", [0, 0], at(0), 0.02, "1 joints were measured"],
    ["no time since the last command", [0, 0], at(0, 0), 0, "the time step is 0 s"],
    ["a time step that goes back", [0, 0], at(0, 0), -1, "the time step is -1 s"],
    ["a time step that is not a number", [0, 0], at(0, 0), Number.NaN, "the time step is NaN s"],
    ["an arm that does not follow", [0, 0], at(0.31, 0), 0.02, "the arm does not follow"],
  ])("holds on %s", (_, requested, measured, dtS, reason) => {
    const verdict = limitCommand(limits, measured, sent([0, 0], [0, 0]), requested, dtS);
    expect(verdict).toEqual({ kind: "hold", reasons: [reason] });
  });
});

describe("limitCommand for anything a policy may ask", () => {
  const anyNumber = fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: -4, max: 4, noNaN: true }) },
    { weight: 1, arbitrary: fc.double() },
    { weight: 1, arbitrary: fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, 1e-308, -0) },
  );
  const anyStep = fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: 0.001, max: 0.3, noNaN: true }) },
    { weight: 1, arbitrary: fc.double() },
  );
  const anyLimits = fc
    .record({
      low: fc.array(fc.double({ min: -4, max: -0.3, noNaN: true }), { minLength: 1, maxLength: 3 }),
      widthRad: fc.double({ min: 0.3, max: 6, noNaN: true }),
      marginRad: fc.double({ min: 0, max: 0.14, noNaN: true }),
      velocity: fc.double({ min: 0.01, max: 5, noNaN: true }),
      acceleration: fc.double({ min: 0.05, max: 50, noNaN: true }),
      rampShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
    })
    .map(
      ({ low, widthRad, velocity, acceleration, ...rest }): SafetyLimits => ({
        ...limits,
        ...rest,
        positionLow: low,
        positionHigh: low.map((value) => value + widthRad),
        velocity: low.map(() => velocity),
        acceleration: low.map(() => acceleration),
      }),
    );
  const session = fc.record({
    limits: anyLimits,
    start: fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }),
    steps: fc.array(fc.record({ wanted: fc.array(anyNumber, { minLength: 3, maxLength: 3 }), dtS: anyStep }), {
      minLength: 1,
      maxLength: 40,
    }),
  });

  type Step = { readonly before: SentCommand | null; readonly after: SentCommand; readonly dtS: number };

  /** Plays a whole session with an arm that follows perfectly; calls `check` on every command that is let through. */
  function play(
    { limits: chosen, start, steps }: typeof session extends fc.Arbitrary<infer T> ? T : never,
    check: (step: Step, requested: readonly number[], measured: ArrayLike<number>) => void,
  ) {
    const joints = chosen.positionLow.length;
    let previous: SentCommand | null = null;
    let measured: ArrayLike<number> = start.slice(0, joints);
    for (const { wanted, dtS } of steps) {
      const requested = wanted.slice(0, joints);
      const verdict = limitCommand(chosen, { positions: measured }, previous, requested, dtS);
      if (verdict.kind === "hold") continue;
      check({ before: previous, after: verdict.command, dtS }, requested, measured);
      previous = verdict.command;
      measured = previous.positions;
    }
  }

  it("stays finite and within position, velocity and acceleration limits over any sequence", () => {
    fc.assert(
      fc.property(session, (chosen) => {
        const { positionLow, positionHigh, marginRad, velocity, acceleration, maxStepS } = chosen.limits;
        play(chosen, ({ before, after, dtS }, _requested, measured) => {
          const stepS = Math.min(dtS, maxStepS);
          const hasPaused = dtS > maxStepS;
          for (const [joint, position] of after.positions.entries()) {
            const from = before?.positions[joint] ?? measured[joint]!;
            const fromVelocity = hasPaused ? 0 : (before?.velocities[joint] ?? 0);
            const speed = (position - from) / stepS;
            const tolerance = 1e-9;
            expect(Number.isFinite(position)).toBe(true);
            expect(position).toBeGreaterThanOrEqual(Math.min(positionLow[joint]! + marginRad, from));
            expect(position).toBeLessThanOrEqual(Math.max(positionHigh[joint]! - marginRad, from));
            expect(Math.abs(speed)).toBeLessThanOrEqual(velocity[joint]! + tolerance);
            expect(Math.abs(speed - fromVelocity)).toBeLessThanOrEqual(acceleration[joint]! * stepS + tolerance);
          }
        });
      }),
      { numRuns: 400 },
    );
  });

  it("always keeps room to brake before the end of the range", () => {
    fc.assert(
      fc.property(session, (chosen) => {
        const { positionLow, positionHigh, marginRad, acceleration } = chosen.limits;
        play(chosen, ({ after }) => {
          for (const [joint, position] of after.positions.entries()) {
            const speed = after.velocities[joint]!;
            const room =
              speed > 0 ? positionHigh[joint]! - marginRad - position : position - positionLow[joint]! - marginRad;
            // A speed of rounding size needs no room.
            if (Math.abs(speed) > 1e-6)
              expect(speed ** 2 / (2 * acceleration[joint]!)).toBeLessThanOrEqual(room + 1e-9);
          }
        });
      }),
      { numRuns: 400 },
    );
  });

  it("changes nothing when it is applied to its own output", () => {
    fc.assert(
      fc.property(session, (chosen) => {
        play(chosen, ({ before, after, dtS }, _requested, measured) => {
          const again = limitCommand(chosen.limits, { positions: measured }, before, after.positions, dtS);
          expect(command(again).command.positions).toEqual(after.positions);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("obeys position and velocity limits even when the previous command was not its own", () => {
    const anyPrevious = fc.record({
      position: fc.double({ min: -3, max: 3, noNaN: true }),
      velocity: fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    });
    fc.assert(
      fc.property(anyPrevious, anyNumber, fc.double({ min: 0.001, max: 0.1, noNaN: true }), (previous, wanted, dtS) => {
        const start = sent([previous.position, 0], [previous.velocity, 0]);
        const verdict = limitCommand(limits, start, start, [wanted, 0], dtS);
        if (verdict.kind === "hold") return;
        const position = verdict.command.positions[0]!;
        expect(position).toBeGreaterThanOrEqual(Math.min(-1.9, previous.position));
        expect(position).toBeLessThanOrEqual(Math.max(1.9, previous.position));
        expect(Math.abs(position - previous.position)).toBeLessThanOrEqual(1 * dtS + 1e-12);
      }),
      { numRuns: 500 },
    );
  });
});

describe("checkLimits", () => {
  it("accepts limits that leave room", () => expect(() => checkLimits(limits)).not.toThrow());

  it.each([
    [{ positionHigh: [2] }, "positionHigh must have 2 entries"],
    [{ marginRad: 1 }, "joint 1 must keep a range inside its margins"],
    [{ velocity: [1, 0] }, "velocity of joint 1 must be above 0"],
    [{ acceleration: [Number.NaN, 1] }, "acceleration of joint 0 must be above 0"],
    [{ rampShare: 1.5 }, "rampShare must be at most 1"],
    [{ marginRad: -0.1 }, "marginRad must be 0 or more"],
    [{ trackingErrorRad: 0 }, "trackingErrorRad must be above 0"],
  ])("refuses %o", (change, message) => {
    expect(() => checkLimits({ ...limits, ...change })).toThrow(message);
  });
});
