import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
/** What the page is made of: a newer file in here means a new build. */
const sources = [
  "sim-viewer/src",
  "sim-viewer/index.html",
  "sim-viewer/vite.config.ts",
  "world/scene",
  "core/geometry",
];

async function newestMs(path: string): Promise<number> {
  const info = await stat(path).catch(() => null);
  if (!info) return 0;
  if (!info.isDirectory()) return info.mtimeMs;
  const children = await readdir(path);
  return Math.max(0, ...(await Promise.all(children.map((child) => newestMs(join(path, child))))));
}

/** Whether the built page is missing or older than a source. */
export async function isViewerStale(): Promise<boolean> {
  const built = await newestMs(join(root, "sim-viewer/dist/index.html"));
  const changed = await Promise.all(sources.map((source) => newestMs(join(root, source))));
  return built === 0 || Math.max(...changed) > built;
}

/**
 * Builds the page with vite where needed; the finished build replaces the old one at once, so a page that is being
 * served never misses a file for longer than two renames.
 *
 * @returns the folder of the built page
 */
export async function ensureViewerBuild(onBuild: () => void = () => {}): Promise<string> {
  const page = join(root, "sim-viewer/dist");
  if (!(await isViewerStale())) return page;
  onBuild();
  const { build } = await import("vite");
  const fresh = join(root, `sim-viewer/dist-${process.pid}.tmp`);
  try {
    await build({
      configFile: join(root, "sim-viewer/vite.config.ts"),
      logLevel: "error",
      build: { outDir: fresh, emptyOutDir: true },
    });
    await rm(page, { recursive: true, force: true });
    await rename(fresh, page);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return page;
}
