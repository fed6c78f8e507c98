import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { msFromNs, nsFromMs, nsFromRosTime, rosTimeFromNs } from "#robot-bridge/protocol/stamp.ts";

describe("ROS time", () => {
  it.each([
    [0n, { sec: 0, nanosec: 0 }],
    [1_500_000_000n, { sec: 1, nanosec: 500_000_000 }],
    [1_700_000_000_123_456_789n, { sec: 1_700_000_000, nanosec: 123_456_789 }],
    [-1n, { sec: -1, nanosec: 999_999_999 }],
  ])("splits %s ns into seconds and the rest", (ns, time) => expect(rosTimeFromNs(ns)).toEqual(time));

  it("comes back the same", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 31n) * 10n ** 9n, max: (2n ** 31n - 1n) * 10n ** 9n }), (ns) => {
        expect(nsFromRosTime(rosTimeFromNs(ns))).toBe(ns);
      }),
    );
  });

  it("refuses what does not fit in 32 bits", () => {
    expect(() => rosTimeFromNs(2n ** 31n * 10n ** 9n)).toThrow("seconds must fit in 32 bits");
  });

  it("converts milliseconds", () => {
    expect(nsFromMs(2.5)).toBe(2_500_000n);
    expect(msFromNs(2_500_000n)).toBe(2.5);
  });
});
