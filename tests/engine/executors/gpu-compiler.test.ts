import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "../small-training.ts";

/** In a process of its own, as plugins are always loaded. */
const check = (plugin: string) => {
  const words = ["bin/armature.js", "engine", "compile-check", "--plugin", plugin];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  return { status, stderr };
};

describe("engine compile-check", () => {
  it("refuses a file that is no library, and a library that is no plugin, in one sentence each", () => {
    const path = join(temporaryFolder(), "plugin.so");
    writeFileSync(path, "not a library");
    expect(check(path)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(
        `${path}: must be a shared library (ELF), but is not. Take xla_cuda_plugin.so of the package jax-cuda13-pjrt`,
      ),
    });
    expect(check(process.execPath)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/must be a PJRT plugin, but cannot be loaded as one: [^\n]+\.\n$/),
    });
  });
});
