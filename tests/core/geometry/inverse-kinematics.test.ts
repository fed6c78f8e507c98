import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { inverseKinematics } from "#core/geometry/inverse-kinematics.ts";
import { type ChainJoint, forwardKinematics, identityPose, type KinematicChain } from "#core/geometry/kinematics.ts";
import { identityQuaternion, rotate } from "#core/geometry/quaternion.ts";

const joint = (origin: readonly [number, number, number], axis: ChainJoint["axis"], limit: number): ChainJoint => ({
  name: "joint",
  kind: "revolute",
  origin: { position: origin, quaternion: identityQuaternion },
  axis,
  low: -limit,
  high: limit,
  velocityLimit: 1,
});

/** Seven joints in the manner of common arms: one to spare. */
const arm = (limit: number): KinematicChain => ({
  worldFromBase: identityPose,
  joints: [
    joint([0, 0, 0.3], [0, 0, 1], limit),
    joint([0, 0, 0], [0, 1, 0], limit),
    joint([0, 0, 0.3], [0, 0, 1], limit),
    joint([0.05, 0, 0], [0, -1, 0], limit),
    joint([0, 0, 0.3], [0, 0, 1], limit),
    joint([0, 0, 0], [0, 1, 0], limit),
    joint([0.05, 0, 0], [0, 0, 1], limit),
  ],
  tip: { position: [0, 0, 0.1], quaternion: identityQuaternion },
});

const positions = fc.array(fc.double({ min: -1.2, max: 1.2, noNaN: true }), { minLength: 7, maxLength: 7 });
const nudges = fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: 7, maxLength: 7 });
const withinLimits = (values: Float64Array, limit: number) => values.every((value) => Math.abs(value) <= limit);

describe("inverseKinematics", () => {
  it("gets back to a pose that is near its start, inside the limits", () => {
    const chain = arm(1.5);
    fc.assert(
      fc.property(positions, nudges, (at, nudge) => {
        const target = forwardKinematics(chain, at);
        const start = at.map((value, index) => value + nudge[index]!);
        const found = inverseKinematics(chain, target, start);
        const tip = forwardKinematics(chain, found.positions);
        expect(found.isSolved).toBe(true);
        expect(withinLimits(found.positions, 1.5)).toBe(true);
        expect(tip.position).toBeAllClose(target.position, { absolute: 2e-5, relative: 0 });
        const overlap = tip.quaternion.reduce((sum, value, index) => sum + value * target.quaternion[index]!, 0);
        expect(Math.abs(overlap)).toBeGreaterThan(1 - 1e-8);
      }),
      { numRuns: 60 },
    );
  });

  it("needs few steps for a target as near as a control step's", () => {
    const chain = arm(1.5);
    const start = [0.3, 0.5, 0.1, 1, 0.2, -0.6, 0.4];
    const here = forwardKinematics(chain, start);
    const [x, y, z] = here.position;
    const target = { position: [x + 0.02, y - 0.02, z] as const, quaternion: here.quaternion };
    expect(inverseKinematics(chain, target, start, { iterations: 5 }).isSolved).toBe(true);
  });

  it("minds only where the tool points when asked to", () => {
    const chain = arm(2);
    const target = { position: [0.35, 0.1, 0.4] as const, quaternion: [1, 0, 0, 0] as const };
    const start = [0.2, 0.6, 0, 1.2, 0, 1, 0];
    const { positions, isSolved } = inverseKinematics(chain, target, start, { orientation: "direction" });
    const tip = forwardKinematics(chain, positions);
    expect(isSolved).toBe(true);
    expect(tip.position).toBeAllClose(target.position, { absolute: 2e-5 });
    expect(rotate(tip.quaternion, [0, 0, 1])).toBeAllClose([0, 0, -1], { absolute: 2e-4 });
  });

  it("reaches a place and minds no orientation when asked to", () => {
    const chain = arm(2);
    const target = { position: [0.4, 0.2, 0.5] as const, quaternion: identityQuaternion };
    const found = inverseKinematics(chain, target, new Float64Array(7).fill(0.2), { orientation: "none" });
    expect(found.isSolved).toBe(true);
    expect(found.errorRad).toBe(0);
  });

  it("goes as far as the limits let it and says that it is not there", () => {
    const chain = arm(0.3);
    const target = { position: [0.9, 0, 0.2] as const, quaternion: identityQuaternion };
    const start = new Float64Array(7);
    const found = inverseKinematics(chain, target, start, { orientation: "none" });
    expect(found.isSolved).toBe(false);
    expect(withinLimits(found.positions, 0.3)).toBe(true);
    const before = inverseKinematics(chain, target, start, { orientation: "none", iterations: 0 });
    expect(found.errorM).toBeLessThan(before.errorM);
    // The bending joints all lean the same way, up against their limits.
    expect(found.positions[1]).toBeCloseTo(0.3, 6);
    expect(found.positions[3]).toBeCloseTo(-0.3, 6);
  });

  it("turns round from the opposite direction", () => {
    const chain = arm(3.1);
    const start = [0, 0.1, 0, 0.1, 0, 0.1, 0];
    const here = forwardKinematics(chain, start);
    const down = { position: [0.3, 0, 0.5] as const, quaternion: [1, 0, 0, 0] as const };
    expect(rotate(here.quaternion, [0, 0, 1])[2]).toBeGreaterThan(0.9);
    expect(inverseKinematics(chain, down, start, { orientation: "direction" }).isSolved).toBe(true);
  });
});
