import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  conjugate,
  cross,
  lookAt,
  matrixFromQuaternion,
  multiplyQuaternions,
  normaliseQuaternion,
  type Quaternion,
  quaternionFromAxisAngle,
  quaternionFromMatrix,
  quaternionFromRollPitchYaw,
  rotate,
  rotationVectorBetween,
  type Vector3,
} from "#core/geometry/quaternion.ts";

const part = fc.double({ min: -1, max: 1, noNaN: true });
const unitQuaternion = fc
  .tuple(part, part, part, part)
  .filter((q) => q.reduce((sum, value) => sum + value * value, 0) > 0.01)
  .map((q) => normaliseQuaternion(q));

describe("rotations", () => {
  it("turns x to y by a quarter turn about z", () => {
    const quarter = quaternionFromAxisAngle([0, 0, 2], Math.PI / 2);
    expect(rotate(quarter, [1, 0, 0])).toBeAllClose([0, 1, 0]);
    expect(matrixFromQuaternion(quarter)).toBeAllClose([0, -1, 0, 1, 0, 0, 0, 0, 1]);
  });

  it("applies the second factor first", () => {
    const aboutX = quaternionFromAxisAngle([1, 0, 0], Math.PI / 2);
    const aboutZ = quaternionFromAxisAngle([0, 0, 1], Math.PI / 2);
    expect(rotate(multiplyQuaternions(aboutZ, aboutX), [0, 1, 0])).toBeAllClose([0, 0, 1]);
    expect(rotate(multiplyQuaternions(aboutX, aboutZ), [0, 1, 0])).toBeAllClose([-1, 0, 0]);
  });

  it("turns about fixed axes in the order roll, pitch, yaw", () => {
    const turned = rotate(quaternionFromRollPitchYaw(Math.PI / 2, 0, Math.PI / 2), [0, 1, 0]);
    expect(turned).toBeAllClose([0, 0, 1]);
  });

  it("goes to a matrix and back up to sign", () => {
    fc.assert(
      fc.property(unitQuaternion, (q) => {
        const back = quaternionFromMatrix(matrixFromQuaternion(q));
        const dot = q.reduce((sum, value, index) => sum + value * back[index]!, 0);
        expect(Math.abs(dot)).toBeCloseTo(1, 10);
        expect(back[3]).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("undoes itself with its conjugate", () => {
    fc.assert(
      fc.property(unitQuaternion, part, part, part, (q, x, y, z) => {
        expect(rotate(conjugate(q), rotate(q, [x, y, z]))).toBeAllClose([x, y, z], { absolute: 1e-12 });
      }),
    );
  });
});

describe("rotationVectorBetween", () => {
  it("names axis and angle of the shorter way", () => {
    const from = quaternionFromAxisAngle([0, 0, 1], 0.2);
    const to = quaternionFromAxisAngle([0, 0, 1], 0.5);
    expect(rotationVectorBetween(from, to)).toBeAllClose([0, 0, 0.3]);
    const negated = to.map((value) => -value) as unknown as Quaternion;
    expect(rotationVectorBetween(from, negated)).toBeAllClose([0, 0, 0.3]);
    expect(rotationVectorBetween(to, to)).toEqual([0, 0, 0]);
  });
});

describe("lookAt", () => {
  it("points -Z at the target and keeps +Y towards up", () => {
    const position: Vector3 = [0.3, -0.4, 0.9];
    const quaternion = lookAt(position, [0.1, 0.2, 0]);
    const ahead = rotate(quaternion, [0, 0, -1]);
    const wanted: Vector3 = [-0.2, 0.6, -0.9];
    expect(cross(ahead, wanted)).toBeAllClose([0, 0, 0]);
    expect(rotate(quaternion, [0, 1, 0])[2]).toBeGreaterThan(0);
    expect(rotate(quaternion, [1, 0, 0])[2]).toBeCloseTo(0, 12);
  });
});
