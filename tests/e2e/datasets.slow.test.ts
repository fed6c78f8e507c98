import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "@jest/globals";

const program = fileURLToPath(new URL("../../bin/armature.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "armature-datasets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inFolder = (name: string) => join(folder, name);

function armature(...words: string[]): { status: number | null; json: Record<string, unknown>; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words, "--json"], { encoding: "utf8" });
  const last = stdout.trim().split("\n").at(-1) ?? "";
  if (status === 1) throw new Error(stderr);
  return { status, json: last.startsWith("{") ? JSON.parse(last) : {}, stderr };
}

describe("the data set commands", () => {
  it("simulate, convert in parts and whole, check and describe", () => {
    const set = inFolder("set");
    const made = armature(
      "datasets",
      "simulate",
      "--embodiment",
      "arm",
      "--episodes",
      "3",
      "--size",
      "64",
      "--out",
      set,
    );
    expect(made.json).toMatchObject({ episodes: 3 });
    expect(armature("datasets", "check", set)).toMatchObject({ status: 0, json: { episodes: 3 } });
    for (const shard of ["0", "1"]) {
      const part = armature("datasets", "convert", set, inFolder("v3"), "--shard", shard, "--of", "2");
      expect(part).toMatchObject({ status: 0, json: { of: 2 } });
    }
    expect(armature("datasets", "merge", inFolder("v3")).json).toMatchObject({ episodes: 3 });
    expect(armature("datasets", "convert", set, inFolder("rlds"), "--to", "rlds").json).toMatchObject({ episodes: 3 });
    const { frames } = made.json;
    expect(armature("datasets", "info", inFolder("v3")).json).toMatchObject({
      format: "lerobot-v3.0",
      frames,
      fps: 10,
    });
    expect(armature("datasets", "info", inFolder("rlds")).json).toMatchObject({ format: "rlds", episodes: 3 });
  });

  it("refuse a merge with a part missing, and a cut file, and leave nothing behind", () => {
    const set = inFolder("set");
    expect(armature("datasets", "convert", set, inFolder("half"), "--shard", "0", "--of", "2").status).toBe(0);
    const merged = armature("datasets", "merge", inFolder("half"));
    expect(merged.status).toBe(2);
    expect(readdirSync(folder)).not.toContain("half");
    truncateSync(join(set, "data/chunk-000/file-000.parquet"), 200);
    const cut = armature("datasets", "convert", set, inFolder("cut"));
    expect(`${cut.status} ${cut.stderr}`).toMatch(/^2 [\s\S]*file-000\.parquet/);
    expect(readdirSync(folder).filter((name) => name.startsWith("cut"))).toEqual([]);
  });

  it("choose clips of a folder of videos", () => {
    const videos = inFolder("videos");
    armature("datasets", "simulate", "--episodes", "3", "--size", "64", "--out", videos, "--truth", inFolder("truth"));
    const { status, json } = armature("datasets", "clips", videos, inFolder("clips"));
    expect(status).toBe(0);
    expect(Object.keys(json).length).toBeGreaterThan(0);
    expect(readdirSync(inFolder("clips"))).toEqual(
      expect.arrayContaining(["clips.jsonl", "dropped.jsonl", "sheet.png"]),
    );
  });
});
