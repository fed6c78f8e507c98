/** @file Judges that nobody here wrote: a conformance suite, files of others, and third-party readers of ours. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EpisodeReader, Feature } from "#core/contracts/episode.ts";
import { createResult, type Result } from "#core/results.ts";
import { convertDataset, type WritableFormat, writableFormats } from "#datasets/convert-dataset.ts";
import { episodeIndices } from "#datasets/episode-indices.ts";
import { createLeRobotWriter, openLeRobot } from "#datasets/lerobot/index.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { openBag } from "#datasets/rosbag/bag.ts";
import { runConformance } from "./mcap-conformance.ts";

export type FormatsBenchmark = {
  /** Folder with `conformance/` and the data sets of others. */
  readonly data: string;
  /** A Python with h5py, mcap and tfrecord. */
  readonly python: string;
  /** Pythons with lerobot 0.3 and 0.4. */
  readonly lerobot21: string;
  readonly lerobot30: string;
  readonly command: string;
  readonly log: (line: string) => void;
};

/** What others wrote, by what wrote it. */
const foreign: readonly (readonly [format: string, path: string])[] = [
  ["LeRobot v2.1 (Dobot CR5)", "robot_cr5"],
  ["LeRobot v2.1 (Unitree G1)", "robot_g1"],
  ["RLDS (Octo's Bridge shard)", "robot_bridge_octo"],
  ["ROS 1 bag", "conformance/rosbag1/fake_joint_state.bag"],
  ["ROS 2 bag, sqlite3", "conformance/rosbag2/plotjuggler_rosbag2_test_0.db3"],
  ["ROS 2 bag, MCAP", "conformance/rosbag2/wbag_0.mcap"],
  ["folder of videos", "human_dexwild"],
];

/** Reads all numbers of an episode, and its pictures where it has a camera. */
async function readOne(reader: EpisodeReader): Promise<{ rows: number; pictures: number }> {
  const index = episodeIndices(reader)[Math.min(1, episodeIndices(reader).length - 1)]!;
  const { length } = await reader.episode(index);
  const camera = Object.entries(reader.info.features).find(([, { dtype }]) => dtype === "video" || dtype === "image");
  let pictures = 0;
  if (camera) for await (const _ of reader.frames(index, camera[0], 64)) pictures++;
  return { rows: length, pictures };
}

/** A recording without numbers is no episode; its messages are read all the same. */
const textsAlone = "conformance/rosbag2/wbag_0.mcap";

async function countMessages(path: string): Promise<number> {
  const bag = await openBag(path);
  let messages = 0;
  for await (const _ of bag.messages()) messages++;
  await bag.close();
  return messages;
}

async function readForeign(data: string, log: FormatsBenchmark["log"]): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const [format, path] of foreign) {
    const row: Record<string, unknown> = { what: "read", format, path };
    try {
      if (path === textsAlone) Object.assign(row, { rows: await countMessages(join(data, path)), pictures: 0 });
      else {
        const reader = await openDataset(join(data, path));
        Object.assign(row, { episodes: reader.info.episodes, ...(await readOne(reader)) });
        await reader.close();
      }
      row.passed = (row.rows as number) > 0 && (row.pictures === 0 || row.pictures === row.rows);
    } catch (error) {
      Object.assign(row, { passed: false, problem: (error as Error).message });
    }
    log(`read ${format}: ${row.passed ? `${row.rows} rows, ${row.pictures} pictures` : row.problem}`);
    rows.push(row);
  }
  return rows;
}

const features: Readonly<Record<string, Feature>> = {
  "observation.state": { dtype: "float32", shape: [3], names: ["x", "y", "z"] },
  action: { dtype: "float32", shape: [2], names: ["dx", "dy"] },
  "observation.images.front": { dtype: "video", shape: [32, 48, 3], names: null },
};
const [episodes, frames] = [3, 12];
const greyOf = (episode: number, frame: number) => 40 + 50 * episode + 4 * frame;

async function writeSample(path: string): Promise<{ actions: number; grey: number }> {
  const writer = await createLeRobotWriter(path, { fps: 10, robotType: "arm", features, crf: 10 });
  let [actions, grey] = [0, 0];
  for (let episode = 0; episode < episodes; episode++) {
    await writer.startEpisode(`task ${episode}`);
    for (let frame = 0; frame < frames; frame++) {
      const action = Float32Array.of(frame / 8, episode - 0.5);
      const data = new Uint8Array(32 * 48 * 3).fill(greyOf(episode, frame));
      const images = { "observation.images.front": { data, height: 32, width: 48 } };
      const values = { "observation.state": Float32Array.of(frame, episode, 0.25), action };
      await writer.addFrame({ timestampS: frame / 10, values, images });
      actions += action[0]! + action[1]!;
      grey += greyOf(episode, frame) / 255;
    }
    await writer.endEpisode();
  }
  await writer.finish();
  return { actions, grey };
}

const judge = fileURLToPath(new URL("format_judges.py", import.meta.url));

type Seen = { readonly reader: string; readonly rows: number; readonly actions: number; readonly grey: number };

async function judgeWritten(folder: string, options: FormatsBenchmark): Promise<Record<string, unknown>[]> {
  const source = join(folder, "source");
  const expected = await writeSample(source);
  const pythons: Partial<Record<WritableFormat, string>> = {
    "lerobot-v2.1": options.lerobot21,
    "lerobot-v3.0": options.lerobot30,
  };
  const rows: Record<string, unknown>[] = [];
  for (const format of writableFormats) {
    const row: Record<string, unknown> = { what: "written", format };
    try {
      const path = join(folder, format === "robomimic" ? "set.hdf5" : format);
      await convertDataset(await openLeRobot(source), path, { to: format });
      const out = execFileSync(pythons[format] ?? options.python, [judge, format, path], {
        env: { ...process.env, HF_HOME: join(folder, "hf") },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const seen = JSON.parse(out.toString().trim().split("\n").at(-1)!) as Seen;
      const close = (left: number, right: number, most: number) => Math.abs(left - right) <= most;
      // Video may lose a level of 255 a picture.
      const passed =
        seen.rows === episodes * frames &&
        close(seen.actions, expected.actions, 1e-3) &&
        close(seen.grey, expected.grey, (episodes * frames * 2) / 255);
      Object.assign(row, { ...seen, passed });
    } catch (error) {
      Object.assign(row, {
        passed: false,
        problem: String((error as Error).message)
          .trim()
          .split("\n")
          .at(-1),
      });
    }
    options.log(`written ${format}: ${row.passed ? `${row.rows} rows by ${row.reader}` : (row.problem ?? "differs")}`);
    rows.push(row);
  }
  return rows;
}

export async function benchmarkFormats(options: FormatsBenchmark): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "armature-formats-"));
  try {
    const conformance = await runConformance(join(options.data, "conformance/mcap"));
    options.log(`MCAP conformance: ${conformance.passed} of ${conformance.total}`);
    const read = await readForeign(options.data, options.log);
    const written = await judgeWritten(folder, options);
    const passed = (rows: readonly Record<string, unknown>[]) => rows.filter((row) => row.passed === true).length;
    return createResult({
      name: "formats",
      claim:
        "All files of the MCAP project's conformance suite are read as it expects; every file of others is opened and read; what every writer writes is read by a third-party Python reader with the same rows, actions and pictures",
      command: options.command,
      seeds: [],
      rows: [{ what: "conformance", ...conformance }, ...read, ...written],
      summary: {
        ...{ mcapConformancePassed: conformance.passed, mcapConformanceTotal: conformance.total },
        ...{ formatsRead: passed(read), formatsReadTotal: read.length },
        ...{ formatsWritten: passed(written), formatsWrittenTotal: written.length },
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
