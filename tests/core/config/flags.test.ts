import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { flagsOf, parseFlags } from "#core/config/flags.ts";

const schema = z.strictObject({
  model: z.strictObject({ width: z.number().int().default(8).describe("width D") }).prefault({}),
  steps: z.number().default(5).describe("training steps"),
  resume: z.boolean().default(false).describe("go on"),
  stem: z.enum(["keypoints", "patches"]).default("patches").describe("stem"),
  kinds: z.array(z.string()).default([]).describe("kinds"),
  bounds: z.array(z.number()).default([0, 1]).describe("bounds"),
  path: z.string().describe("folder"),
});
const flags = flagsOf(schema);
const parse = (...words: string[]) => parseFlags(words, flags, { json: "boolean", preset: "string" });

describe("flagsOf", () => {
  it("names leaves by their path and knows types, defaults and choices", () => {
    expect(flags.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "model.width number",
      "steps number",
      "resume boolean",
      "stem string",
      "kinds list",
      "bounds numbers",
      "path string",
    ]);
    expect(flags[3]).toMatchObject({ default: "patches", choices: ["keypoints", "patches"], required: false });
    expect(flags[6]).toMatchObject({ required: true, description: "folder" });
  });
});

describe("parseFlags", () => {
  it("reads each type", () => {
    expect(
      parse(
        "--model.width",
        "16",
        "--steps=-2e3",
        "--resume",
        "--kinds",
        "a,b",
        "--bounds",
        "[1,2]",
        "--path",
        "x",
        "y",
      ),
    ).toEqual({
      values: { model: { width: 16 }, steps: -2000, resume: true, kinds: ["a", "b"], bounds: [1, 2], path: "x" },
      extra: {},
      positionals: ["y"],
    });
  });

  it("reads lists of numbers between commas, one number alone, and in brackets", () => {
    for (const [text, bounds] of [
      ["1,2.5", [1, 2.5]],
      ["3", [3]],
      ["[-1, 0]", [-1, 0]],
      ["", []],
    ] as const) {
      expect(parse(`--bounds=${text}`).values).toEqual({ bounds });
    }
    expect(() => parse("--bounds", "1,b")).toThrow('--bounds: must be numbers separated by commas, got "b". bounds.');
  });

  it("keeps flags of the command line apart and turns switches off", () => {
    expect(parse("--json", "--preset", "tiny", "--no-resume")).toMatchObject({
      values: { resume: false },
      extra: { json: true, preset: "tiny" },
    });
  });

  it.each([
    ["--setps 3", "--setps: is not a flag of this command. Did you mean --steps?"],
    ["--widht 3", "Did you mean --model.width?"],
    ["--zzz", "--zzz: is not a flag of this command. See --help."],
    ["--steps", "--steps: needs a value"],
    ["--steps --json", "--steps: needs a value"],
    ["--steps abc", '--steps: must be a number, got "abc"'],
    ["--steps=", '--steps: must be a number, got ""'],
    ["--bounds [1", '--bounds: must be numbers separated by commas, got "[1"'],
    ["--resume=yes", "--resume: needs no value"],
  ])("refuses %s", (line, message) => {
    expect(() => parse(...line.split(" "))).toThrow(message);
  });
});
