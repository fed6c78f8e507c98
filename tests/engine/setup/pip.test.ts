import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { setupTensorflow, setupXla } from "#engine/index.ts";
import { sha256Of } from "#engine/setup/library-record.ts";
import { bringWheel } from "#engine/setup/pip.ts";
import type { Wheel } from "#engine/setup/wheels.ts";
import { temporaryFolder } from "../small-training.ts";

const hasPip = spawnSync("python3", ["-m", "pip", "--version"]).status === 0;

/** A wheel as PyPI has them, with one library and one header. */
async function makeWheel(): Promise<{ file: string; wheel: Wheel }> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "pkg", "include", "c"), { recursive: true });
  writeFileSync(join(folder, "pkg", "libx.so"), "library");
  writeFileSync(join(folder, "pkg", "include", "c", "x.h"), "header");
  const file = join(folder, "x-1.0-py3-none-any.whl");
  expect(spawnSync("python3", ["-m", "zipfile", "-c", file, join(folder, "pkg")]).status).toBe(0);
  const members = ["pkg/libx.so", "pkg/include/c/x.h"];
  return { file, wheel: { name: "x", version: "1.0", sha256: await sha256Of(file), platform: "any", members } };
}

(hasPip ? describe : describe.skip)("a pinned wheel (skipped without pip)", () => {
  it("gives its libraries and headers, and takes the place of an earlier one", async () => {
    const { file, wheel } = await makeWheel();
    const folder = join(temporaryFolder(), "engines", "x");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "old.so"), "");
    expect(await bringWheel(wheel, folder, { file })).toEqual([join(folder, "libx.so")]);
    expect(readdirSync(folder).sort()).toEqual(["include", "libx.so"]);
    expect(readFileSync(join(folder, "include", "c", "x.h"), "utf8")).toBe("header");
    expect(readdirSync(join(folder, ".."))).toEqual(["x"]);
  });

  it("is refused when it is another file than the pinned one, and what was there stays", async () => {
    const { file, wheel } = await makeWheel();
    const folder = join(temporaryFolder(), "engines", "x");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "old.so"), "");
    const pinned = { ...wheel, sha256: "0".repeat(64) };
    await expect(bringWheel(pinned, folder, { file })).rejects.toThrow(
      `${basename(file)}: must have SHA-256 ${"0".repeat(64)}, got ${wheel.sha256}. It is not the pinned x 1.0; nothing was taken from it.`,
    );
    expect(readdirSync(folder)).toEqual(["old.so"]);
    expect(readdirSync(join(folder, ".."))).toEqual(["x"]);
  });

  it("that lacks a library is refused by name", async () => {
    const { file, wheel } = await makeWheel();
    const lacking = { ...wheel, members: ["pkg/liby.so"] };
    await expect(bringWheel(lacking, join(temporaryFolder(), "x"), { file })).rejects.toThrow(
      /its libraries could not be taken out: .*pkg\/liby\.so/,
    );
  });
});

describe("engine setup", () => {
  it("tries the plugin of a JAX installation, and records nothing that does not work", async () => {
    const cacheFolder = temporaryFolder();
    const packages = temporaryFolder();
    mkdirSync(join(packages, "jax_plugins", "xla_cuda13"), { recursive: true });
    const plugin = join(packages, "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so");
    writeFileSync(plugin, "cut");
    await expect(setupXla({ cacheFolder, pythonFolders: [packages] })).rejects.toThrow(
      `${plugin}: must be a shared library (ELF), but is not.`,
    );
    expect(existsSync(join(cacheFolder, "engines.json"))).toBe(false);
  });

  it("says what a folder or file that was named lacks", async () => {
    const cacheFolder = temporaryFolder();
    const from = temporaryFolder();
    await expect(setupXla({ cacheFolder, from })).rejects.toThrow(`no PJRT plugin is in ${from}.`);
    await expect(setupXla({ cacheFolder, from: join(from, "none") })).rejects.toThrow("does not exist.");
    await expect(setupTensorflow({ cacheFolder, from })).rejects.toThrow(
      `${from} must hold libtensorflow_framework.so.2 and libtensorflow_cc.so.2, but does not.`,
    );
  });
});
