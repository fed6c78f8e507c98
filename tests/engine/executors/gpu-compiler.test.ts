import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createGpuCompiler } from "#engine/executors/xla/gpu-compiler.ts";
import { temporaryFolder } from "../small-training.ts";

describe("createGpuCompiler", () => {
  it("refuses a file that is no library, and a library that is no plugin, in one sentence each", () => {
    const path = join(temporaryFolder(), "plugin.so");
    writeFileSync(path, "not a library");
    expect(() => createGpuCompiler(path, "", () => {})).toThrow(
      `${path}: must be a shared library (ELF), but is not. Take xla_cuda_plugin.so of the package jax-cuda13-pjrt`,
    );
    expect(() => createGpuCompiler(process.execPath, "", () => {})).toThrow(
      /must be a PJRT plugin, but cannot be loaded as one: [^\n]+\.$/,
    );
  });
});
