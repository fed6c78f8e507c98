import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { appendMetrics, readMetrics, rewindMetrics } from "#engine/index.ts";
import { temporaryFolder } from "../small-training.ts";

const newPath = () => join(temporaryFolder(), "metrics.jsonl");

describe("metrics.jsonl", () => {
  it("gives back its rows", () => {
    const path = newPath();
    appendMetrics(path, { step: 1, loss: 0.1 });
    appendMetrics(path, { step: 2, loss: Number.NaN, "eval/success": 1 });
    expect(readFileSync(path, "utf8")).toBe('{"step":1,"loss":0.1}\n{"step":2,"loss":null,"eval/success":1}\n');
    expect(readMetrics(path)).toEqual([
      { step: 1, loss: 0.1 },
      { step: 2, loss: Number.NaN, "eval/success": 1 },
    ]);
  });

  it("has no rows when it is not there", () => {
    expect(readMetrics(newPath())).toEqual([]);
  });

  it("loses a last line that was cut, wherever", () => {
    const path = newPath();
    const whole = '{"step":1,"loss":0.1}\n';
    const next = '{"step":2,"loss":0.25}\n';
    for (let length = 0; length < next.length; length++) {
      writeFileSync(path, whole + next.slice(0, length));
      rewindMetrics(path, 10);
      appendMetrics(path, { step: 2, loss: 0.5 });
      expect(readMetrics(path)).toEqual([
        { step: 1, loss: 0.1 },
        { step: 2, loss: 0.5 },
      ]);
    }
  });

  it("is rewound to a step", () => {
    const path = newPath();
    for (const step of [1, 2, 3, 4]) appendMetrics(path, { step });
    rewindMetrics(path, 2);
    expect(readMetrics(path)).toEqual([{ step: 1 }, { step: 2 }]);
  });

  it("is refused with the byte of a line that is no row", () => {
    const path = newPath();
    writeFileSync(path, '{"step":1}\nnonsense\n{"step":3}\n');
    expect(() => readMetrics(path)).toThrow(/metrics\.jsonl: byte 11: must hold one JSON object with a step per line/);
  });

  it("says so when the disk is full", () => {
    expect(() => appendMetrics("/dev/full", { step: 1 })).toThrow("/dev/full: the disk is full. Free some space");
  });
});
