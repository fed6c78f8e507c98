import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "@jest/globals";

const armature = fileURLToPath(new URL("../../bin/armature.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "armature-bench-lapa-"));
const out = join(folder, "results");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...words: string[]) {
  const fixed = ["bench", "lapa", "--scale", "smoke", "--seeds", "0", "--labelShares", "0.5"];
  const places = ["--folder", join(folder, "runs"), "--out", out, "--plot", out, "--engine.kind", "onnxruntime"];
  const { status, stderr } = spawnSync(process.execPath, [armature, ...fixed, ...places, ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return { status, stderr };
}

type Cell = { readonly setting: string; readonly arm: string; readonly solved: Readonly<Record<string, string>> };

const cells = (suite = "push"): Cell[] =>
  JSON.parse(readFileSync(join(out, `lapa-${suite}.json`), "utf8")).rows.filter(
    ({ kind }: { kind: string }) => kind === "cell",
  );

describe("bench lapa", () => {
  it("measures every arm with hands in the videos, each on the same tasks", () => {
    const { status, stderr } = bench("--settings", "cross-embodiment");
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(cells().map(({ arm }) => arm)).toEqual(["scratch", "unipi", "vpt", "lapa", "lapaImproved", "actionVla"]);
    for (const { solved } of cells()) expect(solved).toMatchObject({ seen: expect.stringMatching(/^[01]{8}$/) });
  }, 420_000);

  it("keeps what it measured, and adds the cells of another call", () => {
    const began = Date.now();
    const { status, stderr } = bench("--settings", "in-domain", "--arms", "scratch,actionVla");
    expect({ status, stderr }).toMatchObject({ status: 0 });
    // Both saw no hands in the first call either: nothing is trained.
    expect(stderr).not.toContain("...");
    expect(Date.now() - began).toBeLessThan(60_000);
    expect(cells()).toHaveLength(8);
    expect(readFileSync(join(out, "lapa-push.svg"), "utf8")).toContain("in-domain, 12 labelled, smoke scale");
  }, 120_000);

  it("also picks and places, with a hand that grasps in the videos", () => {
    const words = ["--suite", "pick-place", "--settings", "cross-embodiment", "--arms", "scratch,lapaImproved"];
    const { status, stderr } = bench(...words);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(cells("pick-place").map(({ arm }) => arm)).toEqual(["scratch", "lapaImproved"]);
    expect(existsSync(join(folder, "runs"))).toBe(true);
  }, 420_000);
});
