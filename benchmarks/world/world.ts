/**
 * @file How fast and how good the simulated world is: physics and frames against MuJoCo's own Python package on the same
 * model and core, the closed loop, data per minute, and what the experts solve. Rates are per second of processor time, so
 * that a machine that others use slows both sides alike.
 */
import { codeCommit, describeMachine } from "#core/provenance.ts";
import { createResult, type Result } from "#core/results.ts";
import { findPython } from "../engine/contestants.ts";
import { median, type Row } from "./measure.ts";
import { expertRows, memoryRow, type QualityOptions } from "./quality.ts";
import { dataRow, frameRows, loopRow, physicsRows, type SpeedOptions } from "./speed.ts";

export const worldParts = ["physics", "frames", "loop", "data", "experts", "memory"] as const;
export type WorldPart = (typeof worldParts)[number];

export type WorldBenchmark = Omit<SpeedOptions, "python"> &
  QualityOptions & {
    /** A Python that has MuJoCo's package; where empty it is looked for. */
    readonly python: string;
    /** Which parts to run; rows of the others stay as they are in an earlier result of this machine. */
    readonly parts: readonly WorldPart[];
    readonly command: string;
  };

/** The few numbers that others read. */
function summarise(rows: readonly Row[]): Result["summary"] {
  const find = (wanted: Record<string, unknown>) =>
    rows.filter((row) => Object.entries(wanted).every(([key, value]) => row[key] === value));
  const value = (wanted: Record<string, unknown>, key: string) => {
    const found = find(wanted).flatMap((row) => (typeof row[key] === "number" ? [row[key]] : []));
    return found.length === 0 ? undefined : median(found);
  };
  const rateOf = (suite: string) => {
    const found = find({ part: "experts", suite });
    const sum = (key: string) => found.reduce((total, row) => total + (row[key] as number), 0);
    return found.length === 0 ? undefined : sum("successes") / sum("count");
  };
  const frames = { part: "frames", size: 128 };
  return {
    physicsVsNative: value({ part: "physics" }, "ratio"),
    framesVsOsmesa: value(frames, "ratio"),
    framesVsOsmesaSameShadows: value(frames, "ratioSameShadows"),
    framesPerSecond128: value(frames, "ours"),
    controlStepsPerSecond: value({ part: "loop" }, "ours"),
    episodesPerMinute: value({ part: "data" }, "ours"),
    expertPush: rateOf("push"),
    expertPickPlace: rateOf("pick-place"),
    memoryGrownMb: value({ part: "memory" }, "grownMb"),
  };
}

/** Measures the parts that are asked for and keeps the others of `before`, if it is of this machine. */
export async function benchmarkWorld(options: WorldBenchmark, before?: Result): Promise<Result> {
  const { log, parts, signal } = options;
  const python = findPython("mujoco", options.python);
  if (python === undefined) log("MuJoCo's Python package is not there: pip install mujoco==3.14.0, then --python.");
  const speed = { ...options, python };
  const run: Readonly<Record<WorldPart, () => Promise<readonly Row[]>>> = {
    physics: () => physicsRows(speed),
    frames: () => frameRows(speed),
    loop: async () => [await loopRow(speed)],
    data: async () => [await dataRow(speed)],
    experts: () => expertRows(options),
    memory: async () => [await memoryRow(options)],
  };
  const earlier = before?.machine === describeMachine() ? (before.rows as Row[]) : [];
  const rows: Row[] = [];
  for (const part of worldParts) {
    signal.throwIfAborted();
    if (parts.includes(part)) {
      const measured = { part, commit: codeCommit(), date: new Date().toISOString() };
      rows.push(...(await run[part]()).map((row) => ({ ...row, ...measured })));
    } else rows.push(...earlier.filter((row) => row.part === part));
  }
  return createResult({
    name: "world",
    claim:
      "Physics at least 0.6 of native MuJoCo; frames of 128 px at least 3 times OSMesa's and 250 a second and core; " +
      "at least 134 labelled episodes with video a minute on two cores; experts solve at least 95 %; memory flat.",
    // The file holds all parts, whichever call measured them.
    command: options.command.replace(/ --parts \S+/, ""),
    seeds: [1, 90],
    rows,
    summary: summarise(rows),
  });
}
