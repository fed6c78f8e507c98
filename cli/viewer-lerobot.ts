import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Episode, Feature } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import type { LeRobotReader } from "#datasets/lerobot/index.ts";
import { toSeries } from "#sim-viewer/src/episode/signals.ts";
import type { EpisodeDetail, EpisodeGroup, EpisodeSummary, Series } from "#sim-viewer/src/episode/viewer-protocol.ts";
import { isInside } from "./viewer-files.ts";
import { readRollout } from "./viewer-rollouts.ts";
import { fileUrl, type GroupSource, isFile, openVideos } from "./viewer-source.ts";

/** @file A LeRobot set as the viewer lists and opens it: columns and tasks by the reader, pictures as the stored mp4. */

export type OpenReader = (path: string) => Promise<LeRobotReader>;

/** Columns that every set carries and nobody plots. */
const bookkeeping = new Set(["timestamp", "frame_index", "episode_index", "index", "task_index", "next.done"]);
/** More channels than this make no readable plot (a depth map, an embedding). */
const mostChannels = 64;

const episodeId = (index: number) => `episode_${String(index).padStart(6, "0")}`;

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

type EpisodePlace = LeRobotReader["episodes"][number];

function summarize({ index, length, tasks }: EpisodePlace, rateHz: number): EpisodeSummary {
  return {
    id: episodeId(index),
    label: `Episode ${index}`,
    instruction: tasks.join(" · "),
    frames: length,
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
  private readonly reader: LeRobotReader;
  private readonly places: ReadonlyMap<string, EpisodePlace>;

  constructor(folder: string, group: Omit<EpisodeGroup, "episodes">, reader: LeRobotReader) {
    this.group = { ...group, episodes: reader.episodes.map((place) => summarize(place, reader.info.fps)) };
    this.folder = folder;
    this.reader = reader;
    this.places = new Map(reader.episodes.map((place) => [episodeId(place.index), place]));
  }

  has(id: string): boolean {
    return this.places.has(id);
  }

  async episode(id: string): Promise<EpisodeDetail> {
    const { features, fps } = this.reader.info;
    const place = this.places.get(id)!;
    const episode = await this.reader.episode(place.index);
    const { timestampsS, note } = playableTimes(episode, fps);
    const places = Object.entries(place.videos).filter(([, { path }]) => isInside(this.folder, path));
    const videos = await openVideos(new Map(places), timestampsS, fps, (camera) =>
      fileUrl("video", this.group.id, id, camera),
    );
    const notes = [...(note === null ? [] : [note]), ...videos.notes];
    const rollout = await this.rolloutFile(id);
    const log = rollout && (await readRollout(rollout).catch((error: Error) => void notes.push(error.message)));
    return {
      group: this.group.id,
      summary: { ...summarize(place, fps), ...(log ? { success: log.success, reasons: log.reasons } : {}) },
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
    const path = this.places.get(id)?.videos[camera]?.path;
    return path !== undefined && isInside(this.folder, path) && (await isFile(path)) ? path : null;
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}

/** One set of the library: opened when first asked for, and anew when its metadata changes. */
export type LeRobotSet = { source(): Promise<GroupSource>; close(): Promise<void> };

const stateOf = (path: string) =>
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
      // Version 2 lists its episodes in a file, version 3 in a folder; both change when an episode is added.
      const states = ["info.json", "episodes.jsonl", "episodes"].map((name) => stateOf(join(folder, "meta", name)));
      const key = (await Promise.all(states)).join();
      if (opened?.key === key) return opened.group;
      try {
        const reader = await open(folder);
        await opened?.group.close();
        opened = { key, group: new LeRobotGroup(folder, base, reader) };
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
