import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { commands } from "#cli/commands.ts";
import { main } from "#cli/main.ts";

let stdout = "";
let stderr = "";

beforeEach(() => {
  stdout = "";
  stderr = "";
  jest.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe("the command line", () => {
  it("lists all commands with a summary", async () => {
    expect(`${await main([])} ${stderr}`).toBe("0 ");
    for (const name of Object.keys(commands)) expect(stdout).toContain(name);
  });

  it.each(Object.keys(commands))(
    "explains %s: usage, an example that is a command, every flag with its meaning",
    async (name) => {
      expect(await main([...name.split(" "), "--help"])).toBe(0);
      expect(stdout).toContain(`Usage: npx armature ${name}`);
      expect(stdout).toMatch(new RegExp(`Example: npx armature ${name}`));
      const withoutMeaning = stdout.split("\n").filter((line) => /^ {2}--\S+(?: [A-Z]+)?\s*$/.test(line));
      expect(withoutMeaning).toEqual([]);
    },
  );

  it.each([
    [["quantiser", "train"], 'armature: "quantiser" is not a command. Did you mean "quantizer train"?'],
    [
      ["quantizer"],
      'armature: "quantizer" is not a command. Known: quantizer train, quantizer evaluate, quantizer label.',
    ],
    [["viewer", "a", "b"], 'takes 1 bare words, got "a b"'],
    [["quantizer", "train", "--setps", "3"], "Did you mean --steps?"],
    [["quantizer", "train", "--steps", "0"], "config: steps: must be above 0, got 0."],
    [["quantizer", "train", "--preset", "tinny"], 'Did you mean "tiny"?'],
    [["quantizer", "train"], "videos: must name at least one folder"],
    [["quantizer", "train", "--data.videos", "/nowhere"], "/nowhere must be a folder"],
    [["demo", "--videos", "/nowhere", "--folder", "/tmp/armature-test-nowhere"], "/nowhere must be a folder"],
    [["world", "evaluate", "/nowhere"], "/nowhere must be a run or a checkpoint, but holds none"],
    [["datasets", "simulate", "--embodiment", "arm", "--truth", "x"], "--truth: is for label-free videos"],
  ])("answers %j with one sentence and status 2", async (words, sentence) => {
    expect(await main(words)).toBe(2);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain("    at ");
    expect(stdout).toBe("");
  });
});
