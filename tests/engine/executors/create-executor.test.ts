import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { checkInstructions, checkLibrary } from "#engine/executors/native/library-check.ts";
import { createExecutor } from "#engine/index.ts";
import { describeFile, recordLibrary } from "#engine/setup/library-record.ts";
import { temporaryFolder } from "../small-training.ts";

/** A library that is surely here: Node's own program has the same format. */
const elfFile = process.execPath;

describe("createExecutor", () => {
  it("takes the fastest that is set up and says which and why", async () => {
    const executor = await createExecutor({ kind: "auto", threads: 1, cacheFolder: temporaryFolder() });
    expect(executor.reason).toBe("onnxruntime: the fastest engine present, 1 thread");
    await executor.dispose();
  });

  it("refuses a number of threads that is no count", async () => {
    await expect(createExecutor({ kind: "auto", threads: 0 })).rejects.toThrow(
      "engine.threads: must be a whole number of at least 1, got 0.",
    );
  });

  it.each(["xla", "tensorflow"] as const)("says how to get %s where it is not set up", async (kind) => {
    await expect(createExecutor({ kind, cacheFolder: temporaryFolder() })).rejects.toThrow(
      `${kind}: is not set up. Run "npx armature engine setup ${kind}".`,
    );
  });

  it("refuses a library that is another one than at set-up, or no plugin, each in one sentence", async () => {
    const cacheFolder = temporaryFolder();
    const path = join(cacheFolder, "plugin.so");
    writeFileSync(path, "not a library");
    recordLibrary(cacheFolder, "xla", { files: [await describeFile(path)], source: "test" });
    await expect(createExecutor({ kind: "xla", cacheFolder })).rejects.toThrow(
      `${path}: must be a shared library (ELF), but is not. Run "npx armature engine setup xla".`,
    );
    writeFileSync(path, "shorter");
    await expect(createExecutor({ kind: "xla", cacheFolder })).rejects.toThrow(
      `${path}: must be 13 bytes as at set-up, got 7. Run "npx armature engine setup xla" again.`,
    );
    recordLibrary(cacheFolder, "xla", { files: [await describeFile(elfFile)], source: "test" });
    await expect(createExecutor({ kind: "xla", cacheFolder })).rejects.toThrow(
      /^xla: .*: must be a PJRT plugin, but cannot be loaded as one: [^\n]+\.$/,
    );
  });

  const canBuild = spawnSync("cc", ["--version"]).status === 0;
  (canBuild ? it.each : it.skip.each)([
    [0, 30],
    [1, 3],
  ])("refuses a plugin of version %i.%i in one sentence (skipped without a C compiler)", async (major, minor) => {
    const cacheFolder = temporaryFolder();
    const [source, path] = [join(cacheFolder, "plugin.c"), join(cacheFolder, "plugin.so")];
    writeFileSync(
      source,
      `#include <stdint.h>
       static struct { uint64_t size, extension, version[2]; int32_t major, minor; void *functions[100]; } api =
         { 840, 0, { 24, 0 }, ${major}, ${minor} };
       void *GetPjrtApi(void) { return &api; }`,
    );
    expect(spawnSync("cc", ["-shared", "-fPIC", "-o", path, source]).status).toBe(0);
    recordLibrary(cacheFolder, "xla", { files: [await describeFile(path)], source: "test" });
    await expect(createExecutor({ kind: "xla", cacheFolder })).rejects.toThrow(
      `xla: ${path}: speaks PJRT ${major}.${minor}; version 0.60 or a later 0.x is needed. Bring another plugin.`,
    );
  });

  it("goes on to the next engine where the fastest cannot be started", async () => {
    const cacheFolder = temporaryFolder();
    recordLibrary(cacheFolder, "xla", { files: [await describeFile(elfFile)], source: "test" });
    const executor = await createExecutor({ kind: "auto", threads: 1, cacheFolder });
    expect(executor.kind).toBe("onnxruntime");
    await executor.dispose();
  });

  it("says what to do with a record that is no JSON", async () => {
    const cacheFolder = temporaryFolder();
    writeFileSync(join(cacheFolder, "engines.json"), "{");
    await expect(createExecutor({ kind: "xla", cacheFolder })).rejects.toThrow(
      /engines.json: must be JSON\. Delete it/,
    );
  });
});

describe("a library before it is loaded", () => {
  const isLinux = existsSync("/proc/cpuinfo");
  (isLinux ? it : it.skip)("is refused when it is cut, at any length (skipped elsewhere than on Linux)", () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "library.so");
    const whole = readFileSync(elfFile);
    const header = whole.subarray(0, 64);
    // The header says where the file ends; the middle need not be there to see that it is short.
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
    writeFileSync(path, header);
    truncateSync(path, end);
    expect(() => checkLibrary(path, "Mend.")).not.toThrow();
    for (const bytes of [end - 1, 1000, 64]) {
      truncateSync(path, bytes);
      expect(() => checkLibrary(path, "Mend.")).toThrow(
        `${path}: the library is cut: must be ${end} bytes, got ${bytes}. Mend.`,
      );
    }
    truncateSync(path, 10);
    expect(() => checkLibrary(path, "Mend.")).toThrow("must be a shared library (ELF), but is not. Mend.");
  });

  it("is not tried on a processor without AVX", () => {
    const check = (flags: string) => () =>
      checkInstructions("tensorflow", `processor : 0\nflags\t\t: fpu ${flags} sse2\n`);
    if (process.arch !== "x64") return;
    expect(check("avx")).not.toThrow();
    expect(check("avxless")).toThrow("needs a processor with AVX, and this one has none");
  });
});
