/** @file Small videos with known content, made by ffmpeg for the tests. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll } from "@jest/globals";
import { findFfmpeg } from "#datasets/video/ffmpeg.ts";

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "armature-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs ffmpeg with `args` and the output path; `{passthrough}` stands for its way to keep frame times. */
export async function makeVideo(path: string, ...args: string[]): Promise<string> {
  const ffmpeg = await findFfmpeg();
  const filled = args.flatMap((arg) => (arg === "{passthrough}" ? ffmpeg.passthrough : [arg]));
  await promisify(execFile)(ffmpeg.path, ["-loglevel", "error", "-nostdin", "-y", ...filled, path]);
  return path;
}

/** Frame n is grey of level 8 n in [0, 255]; `count` frames of `size` at `rate` a second. */
export const greySteps = (count: number, size = "32x24", rate = "10") => [
  ...["-f", "lavfi", "-i", `color=black:size=${size}:rate=${rate}`],
  ...["-vf", "format=yuv444p,geq=lum='16+219*8*N/255':cb=128:cr=128,format=yuv420p", "-frames:v", `${count}`],
];

export const greyOfStep = (step: number): number => 8 * step;

/** Writes a display matrix of 90 degrees clockwise into an mp4, as phones do. */
export function turnClockwise(path: string): void {
  const file = readFileSync(path);
  const matrix = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000];
  // tkhd, version 0: 4 type, 4 version and flags, 20 times and id and duration, 8 reserved, 8 layer and volume.
  const start = file.indexOf("tkhd") + 4 + 4 + 20 + 8 + 8;
  for (const [index, value] of matrix.entries()) file.writeInt32BE(value, start + index * 4);
  writeFileSync(path, file);
}

/** Copies the first `share` of a file. */
export function cutFile(from: string, to: string, share: number): string {
  const bytes = readFileSync(from);
  writeFileSync(to, bytes.subarray(0, Math.floor(bytes.length * share)));
  return to;
}

/** Processes called ffmpeg that this process started and that still run (Linux). */
export function runningFfmpegs(): number {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [, command, state, parent] = /^\d+ \((.*)\) (\w) (\d+)/.exec(stat) ?? [];
      return command?.startsWith("ffmpeg") && state !== "Z" && Number(parent) === process.pid;
    } catch {
      return false;
    }
  }).length;
}
