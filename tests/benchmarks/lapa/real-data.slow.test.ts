/** @file The two benchmarks on real data, whole but small: a few clips and a few steps, through their commands. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { findPython } from "#benchmarks/engine/contestants.ts";
import { sharedData } from "../../datasets/judge.ts";
import { temporaryFolder } from "../../datasets/make-video.ts";

const armature = fileURLToPath(new URL("../../../bin/armature.js", import.meta.url));
const hasData = existsSync(join(sharedData, "human_dexwild")) && existsSync(join(sharedData, "robot_cr5"));
const hasDetector = findPython("cv2.aruco", "") !== undefined;
const whereDataIs = hasData ? describe : describe.skip;
const whereAllIs = hasData && hasDetector ? describe : describe.skip;

const folder = temporaryFolder();
const results = join(folder, "results");

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [armature, ...words, "--engine.kind", "onnxruntime", "--out", results],
    {
      encoding: "utf8",
    },
  );
  return { status, stdout, stderr };
}

const result = (name: string) => JSON.parse(readFileSync(join(results, `${name}.json`), "utf8"));

/** A folder like the real one, with few of people's videos. */
function smallData(): string {
  const root = join(folder, "data");
  if (existsSync(root)) return root;
  mkdirSync(join(root, "human_dexwild"), { recursive: true });
  symlinkSync(join(sharedData, "robot_cr5"), join(root, "robot_cr5"));
  const videos = readdirSync(join(sharedData, "human_dexwild")).filter((name) => name.endsWith(".mp4"));
  for (const name of videos.filter((_, at) => at % 9 === 0)) {
    symlinkSync(join(sharedData, "human_dexwild", name), join(root, "human_dexwild", name));
  }
  return root;
}

whereAllIs("bench lapa-human-video (needs ../shared/data and Python with OpenCV's ArUco)", () => {
  const words = () => [
    ...[
      "bench",
      "lapa-human-video",
      "--videos",
      join(smallData(), "human_dexwild"),
      "--folder",
      join(folder, "people"),
    ],
    ...["--steps", "4", "--candidates", "window", "--python", "python3"],
  ];

  it("tests one fold, names the others, and goes on with them", () => {
    const first = run(...words(), "--folds", "0");
    expect(first).toMatchObject({ status: 0 });
    const { summary, claim, rows } = result("lapa-human-video");
    expect(claim).toContain("Written before the run");
    expect(summary.missing).toEqual(["fold 1", "fold 2"]);
    expect(summary.probeR2.low).toBeLessThanOrEqual(summary.probeR2.high);
    expect(summary.probeR2Controls.mean.value).toBeLessThan(0.05);
    expect(summary.psnrCopyLast).toBeGreaterThan(15);
    expect(rows).toHaveLength(1);
    const again = run(...words(), "--folds", "0");
    expect(again.stderr).not.toContain("fold 0, seed 0");
    expect(result("lapa-human-video").summary.probeR2).toEqual(summary.probeR2);
  });
});

whereDataIs("bench lapa-real-robots (needs ../shared/data)", () => {
  const words = (...arms: string[]) => [
    ...["bench", "lapa-real-robots", "--data", smallData(), "--folder", join(folder, "robots")],
    ...["--humanFolder", join(folder, "people"), "--robots", "cr5", "--episodes", "10", "--seeds", "0"],
    ...["--steps.quantizer", "3", "--steps.latentVla", "3", "--steps.finetune", "3", "--arms", arms.join(",")],
  ];

  it("measures cells one by one, the same episodes in each, and names what is missing", () => {
    expect(run(...words("scratch"))).toMatchObject({ status: 0 });
    expect(result("lapa-real-robots").summary.missing).toHaveLength(53);
    const arms = hasDetector ? ["own videos", "human videos"] : ["own videos"];
    expect(run(...words(...arms))).toMatchObject({ status: 0 });
    const { summary, rows } = result("lapa-real-robots");
    expect(summary.missing).toHaveLength(53 - arms.length);
    expect(summary["cr5-10"]["own videos"].minusScratch).toMatchObject({ seeds: 1 });
    const episodes = rows.map((row: { actionErrorByEpisode: object }) => Object.keys(row.actionErrorByEpisode));
    expect(new Set(episodes.map(String)).size).toBe(1);
    expect(episodes[0]).toHaveLength(15);
    for (const { actionError } of rows) expect(actionError).toBeGreaterThan(0);
  });
});
