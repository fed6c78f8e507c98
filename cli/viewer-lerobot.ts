import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Episode, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { toSeries } from "#sim-viewer/src/episode/signals.ts";
import type { EpisodeDetail, EpisodeGroup, EpisodeSummary, Series } from "#sim-viewer/src/episode/viewer-protocol.ts";
import { pathInside } from "./viewer-files.ts";
import { readRollout } from "./viewer-rollouts.ts";
import { fileUrl, type GroupSource, isFile, openVideos } from "./viewer-source.ts";

/** @file A LeRobot set as the viewer lists and opens it: columns and tasks by the reader, pictures as the stored mp4. */

export type OpenReader = (path: string) => Promise<EpisodeReader>;

/** Columns that every set carries and nobody plots. */
const bookkeeping = new Set(["timestamp", "frame_index", "episode_index", "index", "task_index", "next.done"]);
/** More channels than this make no readable plot (a depth map, an embedding). */
const mostChannels = 64;

const episodeId = (index: number) => `episode_${String(index).padStart(6, "0")}`;
const indexOf = (id: string) => Number(/^episode_(\d{6,9})$/.exec(id)?.[1] ?? Number.NaN);

function channelNames(name: string, feature: Feature, width: number): readonly string[] {
  if (feature.names?.length === width) return feature.names;
  return width === 1 ? [name.split(".").at(-1)!] : Array.from({ length: width }, (_, channel) => `${channel}`);
}

/** Numeric columns as plots: state first, then action, then the rest. */
export function episodeSeries(features: Readonly<Record<string, Feature>>, episode: Episode): Series[] {
  const rank = (name: string) => (name.startsWith("observation.state") ? 0 : name.startsWith("action") ? 1 : 2);
  const series: Series[] = [];
  for (const [name, feature] of Object.entries(features)) {
    const column = episode.columns[name];
    const width = feature.shape.reduce((product, size) => product * size, 1);
    if (bookkeeping.has(name) || width === 0 || width > mostChannels) continue;
    if (!ArrayBuffer.isView(column)) continue;
    const numbers = column instanceof BigInt64Array ? Float64Array.from(column, Number) : column;
    series.push(toSeries(name, channelNames(name, feature, width), numbers));
  }
  return series.sort((left, right) => rank(left.name) - rank(right.name));
}

/**
 * The capture times a player can run on: as stored, or at the nominal rate with a note where the stored ones go back,
 * stand still or are no numbers.
 */
export function playableTimes(episode: Episode, rateHz: number): { timestampsS: number[]; note: string | null } {
  const stored = Array.from(episode.timestampsS);
  const wrong = stored.findIndex((timeS, frame) => !(timeS > (stored[frame - 1] ?? Number.NEGATIVE_INFINITY)));
  if (wrong < 0) return { timestampsS: stored, note: null };
  return {
    timestampsS: stored.map((_, frame) => frame / rateHz),
    note: `The stored time of frame ${wrong} does not come after the one before it: played at an even ${rateHz} Hz.`,
  };
}

type EpisodeLine = { readonly frames: number; readonly tasks: readonly string[] };

/** Lengths and tasks of all episodes from `meta/episodes.jsonl`, without opening a single Parquet file. */
async function readEpisodeLines(folder: string): Promise<Map<number, EpisodeLine>> {
  const lines = new Map<number, EpisodeLine>();
  const text = await readFile(join(folder, "meta/episodes.jsonl"), "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    try {
      const { episode_index: index, length, tasks } = JSON.parse(line) as Record<string, unknown>;
      if (typeof index === "number") {
        lines.set(index, { frames: Number(length) || 0, tasks: Array.isArray(tasks) ? tasks.map(String) : [] });
      }
    } catch {
      // A cut last line costs one label, nothing more: the reader reports what is really broken when it is opened.
    }
  }
  return lines;
}

/** Where the set keeps its videos: `meta/info.json` says so with a template. */
export function videoPath(template: string, chunkSize: number, camera: string, index: number): string {
  const values: Readonly<Record<string, number | string>> = {
    episode_chunk: Math.floor(index / chunkSize),
    episode_index: index,
    video_key: camera,
  };
  return template.replace(/\{(\w+)(?::0(\d+)d)?\}/g, (whole, name: string, digits: string | undefined) =>
    name in values ? String(values[name]).padStart(Number(digits ?? 0), "0") : whole,
  );
}

type Layout = { readonly template: string; readonly chunkSize: number };

async function readLayout(folder: string): Promise<Layout> {
  const path = join(folder, "meta/info.json");
  try {
    const { video_path: template, chunks_size: chunkSize } = JSON.parse(await readFile(path, "utf8"));
    return {
      template: typeof template === "string" ? template : "",
      chunkSize: Number.isInteger(chunkSize) && chunkSize > 0 ? chunkSize : 1000,
    };
  } catch (cause) {
    throw new FormatError(path, "must be JSON, got something else. Write the data set again.", { cause });
  }
}

function summarize(index: number, line: EpisodeLine, rateHz: number): EpisodeSummary {
  return {
    id: episodeId(index),
    label: `Episode ${index}`,
    instruction: line.tasks.join(" · "),
    frames: line.frames,
    rateHz,
    success: null,
    reasons: [],
    policyId: "",
    task: "",
    split: "",
    instance: "",
  };
}

/** An opened set and what its list shows. */
class LeRobotGroup implements GroupSource {
  readonly group: EpisodeGroup;
  private readonly folder: string;
  private readonly reader: EpisodeReader;
  private readonly layout: Layout;
  private readonly byId: ReadonlyMap<string, EpisodeSummary>;

  constructor(
    folder: string,
    group: Omit<EpisodeGroup, "episodes">,
    reader: EpisodeReader,
    layout: Layout,
    lines: ReadonlyMap<number, EpisodeLine>,
  ) {
    const all =
      lines.size > 0
        ? [...lines]
        : Array.from({ length: reader.info.episodes }, (_, index) => [index, { frames: 0, tasks: [] }] as const);
    const episodes = all.map(([index, line]) => summarize(index, line, reader.info.fps));
    this.group = { ...group, episodes };
    this.folder = folder;
    this.reader = reader;
    this.layout = layout;
    this.byId = new Map(episodes.map((episode) => [episode.id, episode]));
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  async episode(id: string): Promise<EpisodeDetail> {
    const { features, fps } = this.reader.info;
    const summary = this.byId.get(id)!;
    const episode = await this.reader.episode(indexOf(id));
    const { timestampsS, note } = playableTimes(episode, fps);
    const cameras = Object.keys(features).filter((name) => features[name]!.dtype === "video");
    const paths = cameras.map((camera) => [camera, this.videoPathOf(id, camera)] as const);
    const videos = await openVideos(new Map(paths), timestampsS, (camera) =>
      fileUrl("video", this.group.id, id, camera),
    );
    const notes = [...(note === null ? [] : [note]), ...videos.notes];
    const rollout = await this.rolloutFile(id);
    const log = rollout && (await readRollout(rollout).catch((error: Error) => void notes.push(error.message)));
    return {
      group: this.group.id,
      summary: {
        ...summary,
        frames: episode.length,
        instruction: summary.instruction || episode.tasks.join(" · "),
        ...(log ? { success: log.success, reasons: log.reasons } : {}),
      },
      timestampsS,
      series: episodeSeries(features, episode),
      videos: videos.videos,
      rolloutUrl: log ? fileUrl("rollout", this.group.id, id) : null,
      notes,
    };
  }

  /** Simulated sets keep the rollout of each episode beside them, for the 3-D. */
  async rolloutFile(id: string): Promise<string | null> {
    const path = join(this.folder, "extra/rollouts", `${id}.rollout`);
    return this.has(id) && (await isFile(path)) ? path : null;
  }

  async videoFile(id: string, camera: string): Promise<string | null> {
    const isVideo = this.reader.info.features[camera]?.dtype === "video";
    const path = this.has(id) && isVideo ? this.videoPathOf(id, camera) : "";
    return (await isFile(path)) ? path : null;
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  private videoPathOf(id: string, camera: string): string {
    const { template, chunkSize } = this.layout;
    return pathInside(this.folder, videoPath(template, chunkSize, camera, indexOf(id))) ?? "";
  }
}

/** One set of the library: opened when first asked for, and anew when its metadata changes. */
export type LeRobotSet = { source(): Promise<GroupSource>; close(): Promise<void> };

const changed = (path: string) =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
    () => "",
  );

/** @param id group in the list @param open how LeRobot sets are opened */
export function createLeRobotSet(folder: string, id: string, label: string, open: OpenReader): LeRobotSet {
  const base = { id, label, kind: "lerobot" } as const;
  let opened: { key: string; group: LeRobotGroup } | null = null;
  const refused = (error: unknown): GroupSource => {
    if (!(error instanceof UserError)) throw error;
    const nothing = async () => null;
    const group: EpisodeGroup = { ...base, episodes: [], problem: error.message };
    return { group, has: () => false, episode: () => Promise.reject(error), rolloutFile: nothing, videoFile: nothing };
  };
  return {
    async source() {
      const key = (
        await Promise.all(["info.json", "episodes.jsonl"].map((name) => changed(join(folder, "meta", name))))
      ).join();
      if (opened?.key === key) return opened.group;
      try {
        const [reader, layout, lines] = await Promise.all([open(folder), readLayout(folder), readEpisodeLines(folder)]);
        await opened?.group.close();
        opened = { key, group: new LeRobotGroup(folder, base, reader, layout, lines) };
        return opened.group;
      } catch (error) {
        return refused(error);
      }
    },
    async close() {
      await opened?.group.close();
    },
  };
}
