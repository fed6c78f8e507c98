import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { arcTangent2, cosine, sine, sineCosine, tangent } from "#core/geometry/trigonometry.ts";

const angle = fc.double({ min: -1e5, max: 1e5, noNaN: true });

describe("sineCosine", () => {
  it("is within one unit in the last place of 1 of Math.sin and Math.cos", () => {
    fc.assert(
      fc.property(angle, (angleRad) => {
        const [sin, cos] = sineCosine(angleRad);
        expect(Math.abs(sin - Math.sin(angleRad))).toBeLessThanOrEqual(2 ** -52);
        expect(Math.abs(cos - Math.cos(angleRad))).toBeLessThanOrEqual(2 ** -52);
      }),
    );
  });

  it("is exact at zero and right at the quarter turns", () => {
    expect(sineCosine(0)).toEqual([0, 1]);
    expect(sine(Math.PI / 2)).toBe(1);
    expect(cosine(Math.PI)).toBe(-1);
    expect(Math.abs(cosine((3 * Math.PI) / 2))).toBeLessThan(1e-15);
  });

  it("gives the bits of correctly rounded values", () => {
    expect([sine(0.7), cosine(0.7), sine(-123.456), cosine(98765.4321)]).toEqual([
      0.644217687237691, 0.7648421872844885, 0.8039373685728239, 0.9991073293084041,
    ]);
  });
});

describe("tangent", () => {
  it("is the slope of the angle", () => {
    expect(tangent(Math.PI / 4)).toBeCloseTo(1, 15);
    expect(tangent(-1)).toBeCloseTo(-1.5574077246549023, 14);
  });
});

describe("arcTangent2", () => {
  it("agrees with Math.atan2 in all quadrants", () => {
    // Adding 0 turns -0 into 0: the sign of a zero is the one thing that is not kept.
    const coordinate = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((value) => value + 0);
    fc.assert(
      fc.property(coordinate, coordinate, (y, x) => {
        fc.pre(x !== 0 || y !== 0);
        expect(Math.abs(arcTangent2(y, x) - Math.atan2(y, x))).toBeLessThanOrEqual(2 ** -51);
      }),
    );
  });

  it("knows the axes", () => {
    expect(arcTangent2(0, -1)).toBe(Math.PI);
    expect(arcTangent2(2, 0)).toBe(Math.PI / 2);
    expect(arcTangent2(-2, 0)).toBe(-Math.PI / 2);
    expect(arcTangent2(0, 0)).toBe(0);
  });
});
