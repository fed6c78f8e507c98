import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import {
  decodeBool,
  decodeCompressedImage,
  decodeJointState,
  decodeJointTrajectory,
  decodeString,
  emptyTrajectory,
  encodeCompressedImage,
  encodeJointState,
  encodeJointTrajectory,
  maxJoints,
  sameType,
  targetTrajectory,
} from "#robot-bridge/protocol/messages.ts";

const overWire = (message: unknown): unknown => JSON.parse(JSON.stringify(message));
const header = { stamp: { sec: 1, nanosec: 2 }, frame_id: "" };

describe("JointState", () => {
  const state = {
    stampNs: 1_700_000_000_000_000_001n,
    frameId: "base",
    names: ["a", "b"],
    positions: Float64Array.of(0.5, -1.25),
    velocities: Float64Array.of(0, 0.125),
    efforts: new Float64Array(0),
  };

  it("comes back as it was written", () => {
    expect(decodeJointState(overWire(encodeJointState(state)))).toEqual(state);
  });

  it("turns NaN into null on the way out and null into NaN on the way in", () => {
    const broken = { ...state, positions: Float64Array.of(Number.NaN, Infinity) };
    const text = JSON.stringify(encodeJointState(broken));
    expect(text).toContain('"position":[null,null]');
    expect([...decodeJointState(JSON.parse(text)).positions]).toEqual([Number.NaN, Number.NaN]);
  });

  it("reads the time fields of ROS 1 and arrays that are left out", () => {
    const message = { header: { stamp: { secs: 1, nsecs: 5 }, frame_id: "x" }, name: ["a"], position: [1] };
    expect(decodeJointState(message)).toMatchObject({ stampNs: 1_000_000_005n, positions: Float64Array.of(1) });
  });

  it.each([
    ["a missing header", { name: [] }],
    ["too few positions", { header, name: ["a", "b"], position: [1] }],
    ["a name twice", { header, name: ["a", "a"], position: [1, 2] }],
    ["a text for a number", { header, name: ["a"], position: ["1"] }],
    ["nanoseconds past a second", { header: { ...header, stamp: { sec: 0, nanosec: 1e9 } }, name: [], position: [] }],
    ["too many joints", { header, name: Array.from({ length: maxJoints + 1 }, (_, index) => `j${index}`) }],
    ["nothing", null],
  ])("is refused with %s", (_, message) => expect(() => decodeJointState(message)).toThrow(FormatError));
});

describe("JointTrajectory", () => {
  const target = targetTrajectory(["a", "b"], Float64Array.of(1, 2), { stampNs: 5n, motionMs: 40, ttlMs: 100 });

  it("reaches its target after the motion time and keeps it until its time-to-live", () => {
    expect(target.points.map(({ timeFromStartNs }) => timeFromStartNs)).toEqual([40_000_000n, 100_000_000n]);
    expect(target.points.map(({ positions }) => [...positions])).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const short = targetTrajectory(["a"], Float64Array.of(1), { stampNs: 5n, motionMs: 40, ttlMs: 40 });
    expect(short.points).toHaveLength(1);
  });

  it("comes back as it was written, the empty one too", () => {
    expect(decodeJointTrajectory(overWire(encodeJointTrajectory(target)))).toEqual(target);
    const empty = emptyTrajectory(["a", "b"]);
    expect(decodeJointTrajectory(overWire(encodeJointTrajectory(empty)))).toEqual(empty);
  });

  it("is never written with a hole in it", () => {
    const broken = targetTrajectory(["a"], Float64Array.of(Number.NaN), { stampNs: 0n, motionMs: 1, ttlMs: 2 });
    expect(() => encodeJointTrajectory(broken)).toThrow("every value must be finite");
  });

  const point = (sec: number, positions: unknown[], velocities: unknown[] = []) => ({
    positions,
    velocities,
    time_from_start: { sec, nanosec: 0 },
  });
  it.each([
    ["a point with too few positions", ["a", "b"], [point(1, [1])]],
    ["too many velocities", ["a"], [point(1, [1], [1, 2])]],
    ["times that stand still", ["a"], [point(1, [1]), point(1, [2])]],
    ["a time before the start", ["a"], [point(-1, [1])]],
    ["a joint twice", ["a", "a"], [point(1, [1, 1])]],
  ])("is refused with %s", (_, joint_names, points) => {
    expect(() => decodeJointTrajectory({ header, joint_names, points })).toThrow(FormatError);
  });
});

describe("small messages", () => {
  it("carry pictures byte for byte", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const image = { stampNs: 7n, frameId: "front", format: "png", data };
        expect(decodeCompressedImage(overWire(encodeCompressedImage(image)))).toEqual(image);
      }),
    );
  });

  it("refuse a picture that was cut", () => {
    const message = { header, format: "png", data: "AAA" };
    expect(() => decodeCompressedImage(message)).toThrow("The text was cut");
  });

  it("hold a text or a truth value and nothing else", () => {
    expect(decodeString({ data: "push" })).toBe("push");
    expect(decodeBool({ data: true })).toBe(true);
    expect(() => decodeString({ data: 1 })).toThrow(FormatError);
    expect(() => decodeBool({ data: "true" })).toThrow(FormatError);
  });

  it("are of one type whether named as in ROS 1 or ROS 2", () => {
    expect(sameType("sensor_msgs/JointState", "sensor_msgs/msg/JointState")).toBe(true);
    expect(sameType("std_srvs/srv/Trigger", "std_srvs/Trigger")).toBe(true);
    expect(sameType("std_msgs/Bool", "std_msgs/String")).toBe(false);
  });

  it("are decoded from any JSON or refused with a FormatError", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const decode of [decodeJointState, decodeJointTrajectory, decodeCompressedImage, decodeString]) {
          try {
            decode(value);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }
      }),
    );
  });
});
