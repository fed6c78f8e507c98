import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { decodePng } from "#core/image/png.ts";
import { writeGallery } from "#world/index.ts";

describe("writeGallery", () => {
  it("writes a sheet for every theme, a video for every body and a page that shows them all", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gallery-"));
    const seen: string[] = [];
    const page = await writeGallery({ directory, size: 32, onFile: (name) => seen.push(name) });
    const files = readdirSync(directory).sort();
    expect(files).toEqual([...seen, "index.html"].sort());
    expect(files.filter((name) => name.endsWith(".png")).length).toBe(9);
    expect(files.filter((name) => name.endsWith(".mp4")).length).toBe(6);
    const html = readFileSync(page, "utf8");
    for (const name of seen) {
      expect(html).toContain(`src="${name}"`);
      if (!name.endsWith(".png")) continue;
      const { data, width, height } = decodePng(readFileSync(join(directory, name)));
      expect(Math.min(width, height)).toBeGreaterThan(64);
      expect(new Set(data).size).toBeGreaterThan(60);
    }
    rmSync(directory, { recursive: true });
  });
});
