import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { mergeConfig, parseConfig, resolveConfig } from "#core/config/resolve.ts";

const schema = z.strictObject({
  model: z.strictObject({ width: z.number().int().min(8).default(8), depth: z.number().default(1) }).prefault({}),
  steps: z.number().positive().default(5),
  stem: z.enum(["keypoints", "patches"]).default("patches"),
});
const presets = { wide: { model: { width: 64 }, steps: 7 } };

describe("resolveConfig", () => {
  it("lets flags win over file over preset over defaults", () => {
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "c.json");
    writeFileSync(file, JSON.stringify({ model: { depth: 3 }, steps: 9 }));
    const flags = { model: { depth: 4 } };
    expect(resolveConfig(schema, { presets, preset: "wide", file, flags })).toEqual({
      model: { width: 64, depth: 4 },
      steps: 9,
      stem: "patches",
    });
  });

  it("suggests the preset that was meant", () => {
    expect(() => resolveConfig(schema, { presets, preset: "wid" })).toThrow('Did you mean "wide"?');
    expect(() => resolveConfig(schema, { presets, preset: "toString" })).toThrow("is not a preset");
  });

  it("names a file that is missing or no JSON object", () => {
    expect(() => resolveConfig(schema, { file: "/nowhere/c.json" })).toThrow("/nowhere/c.json cannot be read");
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "c.json");
    writeFileSync(file, "[1]");
    expect(() => resolveConfig(schema, { file })).toThrow("must hold a JSON object, got [1]");
  });
});

describe("parseConfig", () => {
  it("says for every field what must hold and what was found", () => {
    const broken = { model: { width: 2, wdith: 1 }, steps: 0, stem: "boxes" };
    expect(() => parseConfig(schema, broken)).toThrow(
      [
        "config: model.width: must be at least 8, got 2.",
        'config: model: unknown key "wdith".',
        "config: steps: must be above 0, got 0.",
        'config: stem: must be "keypoints" or "patches", got "boxes".',
      ].join("\n"),
    );
  });
});

describe("mergeConfig", () => {
  it("replaces arrays whole and leaves its arguments alone", () => {
    const under = { list: [1, 2], deep: { a: 1 } };
    expect(mergeConfig(under, { list: [3], deep: { b: 2 } })).toEqual({ list: [3], deep: { a: 1, b: 2 } });
    expect(under).toEqual({ list: [1, 2], deep: { a: 1 } });
  });
});
