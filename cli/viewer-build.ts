import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** @file The page as vite builds it, kept under `sim-viewer/dist/HASH`: built once per state of its sources. */

const root = fileURLToPath(new URL("../", import.meta.url));
/** All that the built page depends on; the lock file stands for the packages in it. */
const sources = [
  "sim-viewer/src",
  "sim-viewer/index.html",
  "sim-viewer/vite.config.ts",
  "world/scene",
  "core/contracts",
  "core/errors.ts",
  "core/geometry",
  "robot-bridge/protocol",
  "package-lock.json",
];

const longestBuildMs = 10 * 60_000;

/** Files below a path, relative to the repository, in the order of their names. */
async function listFiles(path: string): Promise<string[]> {
  const info = await stat(join(root, path)).catch(() => null);
  if (!info) return [];
  if (!info.isDirectory()) return [path];
  const names = (await readdir(join(root, path))).sort();
  return (await Promise.all(names.map((name) => listFiles(`${path}/${name}`)))).flat();
}

async function hashSources(): Promise<string> {
  const hash = createHash("sha256");
  for (const path of (await Promise.all(sources.map(listFiles))).flat()) {
    hash.update(`${path}\0`).update(await readFile(join(root, path)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** A built page by address: "/index.html", "/assets/…". */
export type Page = ReadonlyMap<string, Buffer>;

async function readPage(folder: string): Promise<Page | null> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const page = new Map<string, Buffer>();
  for (const file of files) page.set(file.slice(folder.length).replaceAll("\\", "/"), await readFile(file));
  return page.has("/index.html") ? page : null;
}

/** Runs vite in a process of its own: its native bundler then takes no memory from a viewer that stays open for days. */
async function runVite(outDir: string): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin/vite.js");
  const config = join(root, "sim-viewer/vite.config.ts");
  const words = [vite, "build", "--config", config, "--outDir", outDir, "--emptyOutDir", "--logLevel", "warn"];
  await promisify(execFile)(process.execPath, words, { cwd: root });
}

/** Removes older builds, and what a build that was interrupted left behind. */
async function dropOthers(dist: string, hash: string): Promise<void> {
  for (const name of await readdir(dist)) {
    const path = join(dist, name);
    const { mtimeMs = 0 } = (await stat(path).catch(() => null)) ?? {};
    const isRunning = name.startsWith("building-") && Date.now() - mtimeMs < longestBuildMs;
    if (name !== hash && !isRunning) await rm(path, { recursive: true, force: true });
  }
}

/** Builds into a new folder beside the old builds, puts it in place at once and drops the others. */
async function build(dist: string, hash: string): Promise<void> {
  await mkdir(dist, { recursive: true });
  const fresh = await mkdtemp(join(dist, "building-"));
  try {
    await runVite(fresh);
    // Another start may have built the same meanwhile: then its folder stays and this one goes.
    await rename(fresh, join(dist, hash)).catch(() => {});
    await dropOthers(dist, hash);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/**
 * The page for the present sources, from the cache or newly built. It is read into memory, so that a later build never
 * changes a page that is being served.
 *
 * @param onBuild called before a build, which takes some seconds
 */
export async function loadPage(onBuild: () => void = () => {}): Promise<Page> {
  const dist = join(root, "sim-viewer/dist");
  const hash = await hashSources();
  const cached = await readPage(join(dist, hash));
  if (cached) return cached;
  onBuild();
  await build(dist, hash);
  const page = await readPage(join(dist, hash));
  if (!page) throw new Error(`viewer: vite left no index.html in ${join(dist, hash)}`);
  return page;
}
