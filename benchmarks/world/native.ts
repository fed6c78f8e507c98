import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What was done in which time. */
export type Measured = {
  readonly count: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  /** MuJoCo's, where it is the measured side. */
  readonly version?: string;
};

/** One model in one state, for MuJoCo's Python package. */
export type NativeJob = {
  readonly xml: string;
  readonly qpos: readonly number[];
  /** Actuator targets, one row per 20 physics steps, over and over. */
  readonly ctrl: readonly (readonly number[])[];
  readonly mocapPosition: readonly number[];
  /** MuJoCo's order: w first. */
  readonly mocapQuaternion: readonly number[];
  readonly seconds: number;
  readonly size: number;
};

const script = fileURLToPath(new URL("native_mujoco.py", import.meta.url));

/** `undefined` without a Python that has mujoco, or without OSMesa. */
export function measureNative(
  python: string | undefined,
  mode: "physics" | "render",
  job: NativeJob,
): Measured | undefined {
  if (python === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "armature-native-"));
  try {
    const path = join(folder, "job.json");
    writeFileSync(path, JSON.stringify(job));
    const { status, stdout, stderr } = spawnSync(python, [script, mode, path], { encoding: "utf8" });
    if (status === 0) return JSON.parse(stdout) as Measured;
    process.stderr.write(`native MuJoCo, ${mode}: not measured (${stderr.trim().split("\n").at(-1)})\n`);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
