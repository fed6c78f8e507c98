import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { writeGraphModel } from "../lapa/quantizer/graph-file.ts";

const armature = fileURLToPath(new URL("../../bin/armature.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "armature-quantizer-"));
const inFolder = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command in the temporary folder. @returns its answer, and what it said */
async function run(...words: string[]): Promise<{ answer: Record<string, never>; said: string }> {
  const command = promisify(execFile)(process.execPath, [armature, ...words, "--json"], { cwd: folder });
  const { stdout, stderr } = await command;
  return { answer: JSON.parse(stdout.trim().split("\n").at(-1)!), said: stderr };
}

const videos = ["--data.videos", inFolder("videos"), "--data.holdOut", "0.5"];
const few = ["--steps", "3", "--batch", "4"];

beforeAll(async () => {
  const size = ["--size", "64", "--workers", "1"];
  await run(
    "datasets",
    "simulate",
    "--episodes",
    "14",
    "--out",
    inFolder("videos"),
    "--truth",
    inFolder("truth"),
    ...size,
  );
});

describe("the quantizer's commands", () => {
  it("train the paper's network small, with noise substitution, and examine it: m1 to m9 and a page", async () => {
    const { answer: trained } = await run("quantizer", "train", "--preset", "paper-small", ...videos, ...few);
    expect(trained).toMatchObject({ step: 3, loss: expect.any(Number) });
    const short = ["--pairs", "64", "--inverseModelSteps", "3"];
    const truth = ["--truth", inFolder("truth")];
    const { answer } = await run("quantizer", "evaluate", "runs/quantizer", ...videos, ...truth, ...short);
    const { verdicts, probes, report } = answer as unknown as Record<string, never[]> & { report: string };
    expect(verdicts!.map(({ id }) => id)).toEqual([
      ...["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m7 cuts", "m8", "m9", "m9 still"],
    ]);
    expect(verdicts!.map(({ verdict }) => verdict)).not.toContain("not measured");
    expect(probes).toHaveLength(7);
    const page = readFileSync(report as unknown as string, "utf8");
    expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(8);
    expect(page).toContain("data:image/png;base64");
    // Self-contained: nothing is fetched.
    expect(page).not.toMatch(/(src|href)="http/);
  });

  it("say what was not measured where nobody knows the motion", async () => {
    const { answer } = await run("quantizer", "evaluate", "runs/quantizer", ...videos, "--pairs", "64");
    const { verdicts } = answer as unknown as { verdicts: { id: string; verdict: string; measured: string }[] };
    const open = verdicts.filter(({ verdict }) => verdict === "not measured");
    expect(open.map(({ id }) => id)).toEqual(["m5", "m6", "m7", "m8"]);
    expect(open[0]!.measured).toContain("--truth");
  });

  it("train with every switch: finite scalars, a codebook per position, several offsets, cut-outs, backwards", async () => {
    const scalars = ["--model.quantization", "fsq", "--model.fsqLevels", "5,3", "--model.codebookSize", "15"];
    const looks = ["--crop", "0.1", "--backwards", "--offsetsS", "0.2,0.6"];
    const common = [...videos, ...few, "--preset", "tiny"];
    await run("quantizer", "train", ...common, "--run", "fsq", ...scalars, "--model.codeWidth", "2", ...looks);
    await run("quantizer", "train", ...common, "--run", "own", "--model.codebooks", "per-position");
    const config = JSON.parse(readFileSync(inFolder("runs/fsq/config.json"), "utf8"));
    expect(config).toMatchObject({ offsetsS: [0.2, 0.6], model: { timed: true, fsqLevels: [5, 3] } });
  });

  it("train through a frozen graph model, and label through it: its hash travels with the checkpoint", async () => {
    const file = writeGraphModel(inFolder("encoder"), { side: 64 });
    const through = ["--model.stem", "encoder", "--model.target", "encoder", "--model.imageEncoder.file", file];
    await run("quantizer", "train", "--preset", "tiny", ...videos, ...few, "--run", "seeing", ...through);
    const { answer } = await run("quantizer", "label", "runs/seeing", ...videos, "--out", inFolder("labels.parquet"));
    expect(answer.pairs).toBeGreaterThan(10);
    writeGraphModel(inFolder("encoder"), { side: 64, fused: ["BiasAdd"] });
    const again = run("quantizer", "label", "runs/seeing", ...videos, "--out", inFolder("again.parquet"));
    await expect(again).rejects.toThrow("must be the file that the model was trained with");
  });
});
