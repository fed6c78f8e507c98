/** @file Wheels through pip's own client: whatever index, proxy or mirror it is configured for is used. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { ConfigError, UserError } from "#core/errors.ts";
import { sha256Of } from "./library-record.ts";
import type { Wheel } from "./wheels.ts";

/** The first Python that has pip. */
const findPip = (): string | undefined =>
  ["python3", "python"].find((python) => spawnSync(python, ["-m", "pip", "--version"]).status === 0);

const needsPip = () =>
  new ConfigError(
    "engine setup: needs Python with pip (any version), and there is none on the PATH. " +
      "Install it, or give the library with --from.",
  );

function run(program: string, words: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"], ...(signal ? { signal } : {}) });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said = `${said}${chunk}`.slice(-4000);
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) return resolve();
      const lines = said.trim().split("\n");
      // After "ERROR: Exception:" comes a trace, whose last line says what it was.
      const told = lines.find((line) => line.startsWith("ERROR") && line !== "ERROR: Exception:");
      reject(new Error(told ?? lines.at(-1) ?? `exit code ${code}`));
    });
  });
}

/** Takes members out of a wheel, which is a zip file: libraries into the folder itself, headers into its "include". */
const extraction = [
  "import os, shutil, sys, zipfile",
  "wheel, folder, members = sys.argv[1], sys.argv[2], sys.argv[3:]",
  "with zipfile.ZipFile(wheel) as archive:",
  "    for member in members:",
  "        inside = member[member.index('/include/') + 1:] if '/include/' in member else os.path.basename(member)",
  "        path = os.path.join(folder, inside)",
  "        os.makedirs(os.path.dirname(path), exist_ok=True)",
  "        with archive.open(member) as source, open(path, 'wb') as target:",
  "            shutil.copyfileobj(source, target, 1 << 22)",
].join("\n");

/**
 * Takes a wheel's libraries into `folder`, which appears whole or not at all.
 *
 * @returns their paths
 * @param file a wheel that is here already; without it pip downloads one
 * @throws ConfigError when its hash is not the pinned one, UserError when pip or the extraction fails
 */
export async function bringWheel(
  wheel: Wheel,
  folder: string,
  { file, signal }: { readonly file?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  const python = findPip();
  if (python === undefined) throw needsPip();
  mkdirSync(join(folder, ".."), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    const path = file ?? (await download(python, wheel, work, signal));
    const sha256 = await sha256Of(path);
    if (sha256 !== wheel.sha256) {
      throw new ConfigError(
        `${basename(path)}: must have SHA-256 ${wheel.sha256}, got ${sha256}. It is not the pinned ${wheel.name} ` +
          `${wheel.version}; nothing was taken from it.`,
      );
    }
    const taken = join(work, "library");
    mkdirSync(taken);
    await run(python, ["-c", extraction, path, taken, ...wheel.members], signal).catch((cause: Error) => {
      throw new UserError(`${basename(path)}: its libraries could not be taken out: ${cause.message}.`, { cause });
    });
    rmSync(folder, { recursive: true, force: true });
    renameSync(taken, folder);
    const libraries = wheel.members.filter((member) => !member.includes("/include/"));
    return libraries.map((member) => join(folder, basename(member)));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function download(python: string, wheel: Wheel, folder: string, signal?: AbortSignal): Promise<string> {
  const { name, version, platform, pythonVersion } = wheel;
  const words = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"];
  words.push("--platform", platform, "--dest", folder);
  if (pythonVersion !== undefined) words.push("--python-version", pythonVersion);
  try {
    await run(python, [...words, `${name}==${version}`], signal);
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new UserError(
      `engine setup: pip could not download ${name} ${version}: ${(cause as Error).message.trim()}. ` +
        "Check that pip reaches its index, or give the library with --from.",
      { cause },
    );
  }
  const found = readdirSync(folder).find((entry) => entry.endsWith(".whl"));
  if (found === undefined) throw new UserError(`engine setup: pip brought no wheel of ${name} ${version}.`);
  return join(folder, found);
}

/** Installs packages with what they need into a folder of their own. */
export async function installInto(folder: string, packages: readonly string[], signal?: AbortSignal): Promise<void> {
  const python = findPip();
  if (python === undefined) throw needsPip();
  const words = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-compile",
    "--only-binary=:all:",
    "--disable-pip-version-check",
  ];
  await run(python, [...words, "--upgrade", "--target", folder, ...packages], signal).catch((cause: Error) => {
    throw new UserError(`engine setup: pip could not install ${packages.join(", ")}: ${cause.message}.`, { cause });
  });
}

/** Folders in which the Pythons on the PATH look for packages. */
export function pythonFolders(): string[] {
  const ask = "import json, sys; print(json.dumps([p for p in sys.path if p]))";
  const folders = ["python3", "python"].flatMap((python) => {
    const { status, stdout } = spawnSync(python, ["-c", ask], { encoding: "utf8" });
    return status === 0 ? (JSON.parse(stdout) as string[]) : [];
  });
  return [...new Set(folders)].filter(existsSync);
}
