import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { KinematicChain } from "#core/geometry/kinematics.ts";
import { normaliseQuaternion, quaternionFromRollPitchYaw } from "#core/geometry/quaternion.ts";
import { rollPitchYawFromQuaternion, urdfOfChain } from "#core/geometry/urdf.ts";

describe("rollPitchYawFromQuaternion", () => {
  it("is the inverse of URDF's angles, also where pitch is 90 degrees", () => {
    const number = fc.double({ min: -1, max: 1, noNaN: true });
    const any = fc.tuple(number, number, number, number).filter((values) => Math.hypot(...values) > 0.1);
    const steep = fc
      .constantFrom([0.3, Math.PI / 2, 0.4], [-1, -Math.PI / 2, 2])
      .map(([roll, pitch, yaw]) => quaternionFromRollPitchYaw(roll!, pitch!, yaw!));
    fc.assert(
      fc.property(fc.oneof(any.map(normaliseQuaternion), steep), (quaternion) => {
        const again = quaternionFromRollPitchYaw(...rollPitchYawFromQuaternion(quaternion));
        const dot = quaternion.reduce((sum, value, axis) => sum + value * again[axis]!, 0);
        expect(Math.abs(dot)).toBeCloseTo(1, 6);
      }),
    );
  });
});

describe("urdfOfChain", () => {
  const chain: KinematicChain = {
    worldFromBase: { position: [0, 0.45, 0], quaternion: [0, 0, Math.SQRT1_2, Math.SQRT1_2] },
    joints: [
      {
        ...{ name: "waist <1>", kind: "revolute", axis: [0, 0, 1], low: -1, high: 1.5, velocityLimit: 2 },
        origin: { position: [0, 0, 0.1], quaternion: [0, 0, 0, 1] },
      },
      {
        ...{ name: "slide", kind: "sliding", axis: [1, 0, 0], low: 0, high: 0.2, velocityLimit: 0.5 },
        origin: { position: [0, 0, 0.3], quaternion: [0, 0, 0, 1] },
      },
    ],
    tip: { position: [0.2, 0, 0], quaternion: [0, 0, 0, 1] },
  };
  const urdf = urdfOfChain("arm", chain);

  it("hangs every joint on the link before it", () => {
    const pairs = [...urdf.matchAll(/<parent link="([^"]*)"\/><child link="([^"]*)"/g)].map(([, ...pair]) => pair);
    expect(pairs).toEqual([
      ["world", "base"],
      ["base", "waist &lt;1&gt; link"],
      ["waist &lt;1&gt; link", "slide link"],
      ["slide link", "tip"],
    ]);
  });

  it("writes origins, axes and limits in URDF's units", () => {
    expect(urdf).toContain('<joint name="waist &lt;1&gt;" type="revolute"><origin xyz="0 0 0.1" rpy="0 0 0"/>');
    expect(urdf).toContain('<limit lower="-1" upper="1.5" velocity="2" effort="0"/>');
    expect(urdf).toContain('<joint name="slide" type="prismatic">');
    expect(urdf).toContain('<origin xyz="0 0.45 0" rpy="0 0 1.57079632679"/>');
  });
});
