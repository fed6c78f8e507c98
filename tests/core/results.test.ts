import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createResult, readResult, writeResult } from "#core/results.ts";
import { writeWhole } from "#core/write-whole.ts";

const folder = () => mkdtempSync(join(tmpdir(), "results-"));
const measured = {
  name: "demo",
  claim: "LAPA > Scratch",
  command: "npm run demo",
  seeds: [0],
  rows: [{ arm: "lapa" }],
  summary: { seconds: 3 },
};

describe("results", () => {
  it("come back as they were written, with their origin", () => {
    const directory = folder();
    const result = createResult(measured, new Date("2026-01-02T03:04:05Z"));
    const path = writeResult(directory, result);
    expect(readResult(path)).toEqual(result);
    expect(result).toMatchObject({ date: "2026-01-02T03:04:05.000Z", machine: expect.stringContaining("Node") });
    expect(readdirSync(directory)).toEqual(["demo.json"]);
  });

  it("keep no folders of the machine that they were measured on", () => {
    const command = "armature bench x --python /opt/jax/bin/python --videos ../data --parts a,b";
    expect(createResult({ ...measured, command }).command).toBe(
      "armature bench x --python .../python --videos ../data --parts a,b",
    );
  });

  it("are refused when cut", () => {
    const path = join(folder(), "demo.json");
    writeFileSync(path, JSON.stringify(createResult(measured)).slice(0, 40));
    expect(() => readResult(path)).toThrow(`${path}: must be the JSON of a result`);
  });
});

describe("writeWhole", () => {
  it("says what is wrong with the place and leaves what was there", () => {
    const directory = folder();
    const path = join(directory, "a.txt");
    writeWhole(path, "old");
    expect(() => writeWhole(join(directory, "missing", "a.txt"), "new")).toThrow("its folder does not exist");
    expect(() => writeWhole(join(path, "b.txt"), "new")).toThrow("its folder does not exist");
    writeWhole(path, Uint8Array.of(110, 101, 119));
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(readdirSync(directory)).toEqual(["a.txt"]);
  });
});
