import { describe, expect, it } from "@jest/globals";
import type { Clock } from "#core/clock.ts";
import { createProgress, formatDuration, formatNumber } from "#core/progress.ts";

function setUp(isTTY: boolean) {
  let nowS = 0;
  const clock: Clock = { nowNs: () => BigInt(Math.round(nowS * 1e9)), sleep: async () => undefined };
  const written: string[] = [];
  const output = { isTTY, columns: 200, write: (text: string) => written.push(text) };
  const progress = createProgress({ label: "train", total: 100, unit: "steps", output, clock });
  return { progress, written, wait: (seconds: number) => (nowS += seconds) };
}

describe("createProgress", () => {
  it("shows share, rate and time left on a terminal line that it rewrites", () => {
    const { progress, written, wait } = setUp(true);
    progress.update(0);
    wait(10);
    progress.update(25, { loss: 0.123456 });
    expect(written.at(-1)).toBe("\r\x1b[2Ktrain  #####............... 25 %  2.50 steps/s  0:30 left  loss 0.1235");
    progress.finish("saved");
    expect(written.at(-1)).toBe("\r\x1b[2Ktrain  done in 0:10  saved\n");
  });

  it("writes plain lines rarely elsewhere", () => {
    const { progress, written, wait } = setUp(false);
    for (let done = 0; done <= 100; done++) {
      progress.update(done);
      wait(1);
    }
    expect(written.length).toBe(6);
    expect(written[0]).toMatch(/^train {2}#+\.+ 15 % .*\n$/);
  });

  it("does not count what an earlier run did", () => {
    const { progress, written, wait } = setUp(true);
    progress.update(60);
    wait(10);
    progress.update(80);
    expect(written.at(-1)).toContain("2 steps/s  0:10 left");
  });
});

it.each([
  [0, "0:00"],
  [65, "1:05"],
  [7389, "2:03:09"],
])("formats %d s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

it.each([
  [3, "3"],
  [0.5, "0.5000"],
  [12.345, "12.3"],
  [1234.5, "1235"],
  [1e-7, "1.00e-7"],
  [Number.NaN, "NaN"],
])("formats %d", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
