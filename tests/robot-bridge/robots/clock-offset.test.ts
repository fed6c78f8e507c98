import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { nsFromMs } from "#robot-bridge/protocol/stamp.ts";
import { ClockOffset } from "#robot-bridge/robots/clock-offset.ts";

const ms = nsFromMs;

describe("ClockOffset", () => {
  it("takes the middle of the shortest round trip, uncertain by half of it", () => {
    const offset = new ClockOffset();
    // The robot is 1000 ms ahead. 4 ms there, 16 ms back; then 1 ms there and back.
    offset.addExchange(ms(0), ms(1004), ms(20));
    expect(offset.estimate(ms(20))).toEqual({ offsetNs: ms(994), uncertaintyMs: 10, source: "exchange" });
    offset.addExchange(ms(100), ms(1101), ms(102));
    expect(offset.estimate(ms(102))).toEqual({ offsetNs: ms(1000), uncertaintyMs: 1, source: "exchange" });
  });

  it("never claims more certainty than it has, however lopsided the ways are", () => {
    const trips = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(trips, fc.integer({ min: -5000, max: 5000 }), (ways, trueMs) => {
        const offset = new ClockOffset();
        let now = 0;
        for (const [there, back] of ways) {
          offset.addExchange(ms(now), ms(now + there + trueMs), ms(now + there + back));
          now += there + back + 10;
        }
        const { offsetNs, uncertaintyMs } = offset.estimate(ms(now))!;
        expect(Math.abs(Number(offsetNs) / 1e6 - trueMs)).toBeLessThanOrEqual(uncertaintyMs + 1e-6);
      }),
    );
  });

  it("trusts an old exchange less and less, and forgets it after the window", () => {
    const offset = new ClockOffset({ windowMs: 10_000 });
    offset.addExchange(ms(0), ms(1), ms(2));
    expect(offset.estimate(ms(5002))!.uncertaintyMs).toBeCloseTo(1.5, 6);
    offset.addExchange(ms(20_000), ms(20_030), ms(20_040));
    expect(offset.estimate(ms(20_040))!.uncertaintyMs).toBe(20);
  });

  it("without exchanges goes by the stamps, and then never puts the robot ahead of its time", () => {
    const offset = new ClockOffset();
    expect(offset.estimate(0n)).toBeNull();
    for (const [index, wayMs] of [30, 12, 55, 14].entries()) {
      offset.addStamp(ms(7000 + 600 * index), ms(600 * index + wayMs));
    }
    expect(offset.estimate(ms(2000))).toEqual({ offsetNs: ms(6988), uncertaintyMs: 0, source: "stamps" });
    offset.addExchange(ms(2000), ms(9001), ms(2002));
    expect(offset.estimate(ms(2002))!.source).toBe("exchange");
    offset.reset();
    expect(offset.estimate(ms(2002))).toBeNull();
  });
});
