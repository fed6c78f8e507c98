import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { PerspectiveCamera, Vector3 } from "three";
import { lookAt } from "#core/geometry/quaternion.ts";
import { projectPoints } from "#sim-viewer/src/episode/projection.ts";

/** One metre above the origin, looking down, picture's top towards +Y. */
const above = { pose: [0, 0, 1, 0, 0, 0, 1], fovyDeg: 90, aspect: 2 };

describe("projectPoints", () => {
  it("puts what the camera looks at in the middle", () => {
    expect([...projectPoints([0, 0, 0], 1, above)]).toEqual([0.5, 0.5]);
  });

  it("has x to the right and y down, over width and height", () => {
    // At 90 degrees and one metre the picture reaches one metre up and, twice as wide, two metres to the right.
    expect([...projectPoints([2, 1, 0, -1, -0.5, 0], 2, above)]).toBeAllClose([1, 0, 0.25, 0.75]);
  });

  it("has no place for what lies behind", () => {
    expect([...projectPoints([0, 0, 1.5], 1, above)]).toEqual([Number.NaN, Number.NaN]);
  });

  it("agrees with three's own camera everywhere", () => {
    const number = fc.double({ min: -2, max: 2, noNaN: true });
    const vector = fc.tuple(number, number, number);
    fc.assert(
      fc.property(vector, vector, fc.double({ min: 20, max: 120, noNaN: true }), (offset, point, fovyDeg) => {
        const position = [offset[0], offset[1] - 3, offset[2] + 5] as const;
        const quaternion = lookAt(position, [0, 0, 0]);
        const camera = new PerspectiveCamera(fovyDeg, 1.5, 0.005, 100);
        camera.position.set(...position);
        camera.quaternion.set(...quaternion);
        camera.updateMatrixWorld();
        const expected = new Vector3(...point).project(camera);
        const [x, y] = projectPoints(point, 1, { pose: [...position, ...quaternion], fovyDeg, aspect: 1.5 });
        if (Number.isNaN(x)) return;
        expect(x).toBeCloseTo(0.5 + expected.x / 2, 4);
        expect(y).toBeCloseTo(0.5 - expected.y / 2, 4);
      }),
    );
  });
});
