import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Episode, Feature } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import { toSeries } from "#sim-viewer/src/episode/signals.ts";
import type { EpisodeDetail, EpisodeGroup, EpisodeSummary, Series } from "#sim-viewer/src/episode/viewer-protocol.ts";
import { isInside } from "./viewer-files.ts";
import type { Films } from "./viewer-films.ts";
import type { OpenedSet } from "./viewer-formats.ts";
import { readRollout } from "./viewer-rollouts.ts";
import { fileUrl, type GroupSource, isFile, openVideos, type VideoPlace } from "./viewer-source.ts";

/** @file A data set as the viewer lists and opens it: columns and tasks by its reader, pictures as mp4. */

/** Columns that every set carries and nobody plots. */
const bookkeeping = new Set([
  ...["timestamp", "frame_index", "episode_index", "index", "task_index", "next.done"],
  ...["is_first", "is_last", "is_terminal"],
]);
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

type ListedEpisode = OpenedSet["episodes"][number];

function summarize({ index, length, tasks }: ListedEpisode, rateHz: number): EpisodeSummary {
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
class DatasetGroup implements GroupSource {
  readonly group: EpisodeGroup;
  private readonly folder: string;
  private readonly set: OpenedSet;
  private readonly films: Films;
  private readonly listed: ReadonlyMap<string, ListedEpisode>;

  constructor(folder: string, group: Omit<EpisodeGroup, "episodes">, set: OpenedSet, films: Films) {
    this.group = { ...group, episodes: set.episodes.map((episode) => summarize(episode, set.reader.info.fps)) };
    this.folder = folder;
    this.set = set;
    this.films = films;
    this.listed = new Map(set.episodes.map((episode) => [episodeId(episode.index), episode]));
  }

  has(id: string): boolean {
    return this.listed.has(id);
  }

  async episode(id: string): Promise<EpisodeDetail> {
    const { features, fps } = this.set.reader.info;
    const { index } = this.listed.get(id)!;
    const episode = await this.set.reader.episode(index);
    const { timestampsS, note } = playableTimes(episode, fps);
    const url = (camera: string) => fileUrl("video", this.group.id, id, camera);
    const { videos, notes } = await openVideos(this.storedVideos(index), timestampsS, fps, url);
    const startS = timestampsS[0] ?? 0;
    const films = this.filmedCameras(index).map((camera) => {
      return { camera, url: url(camera), frameTimesS: timestampsS.map((timeS) => timeS - startS) };
    });
    const rollout = await this.rolloutFile(id);
    const log = rollout && (await readRollout(rollout).catch((error: Error) => void notes.push(error.message)));
    return {
      group: this.group.id,
      summary: { ...summarize(episode, fps), ...(log ? { success: log.success, reasons: log.reasons } : {}) },
      timestampsS,
      series: episodeSeries(features, episode),
      videos: [...videos, ...films],
      rolloutUrl: log ? fileUrl("rollout", this.group.id, id) : null,
      notes: [...(note === null ? [] : [note]), ...notes],
    };
  }

  /** Simulated sets keep the rollout of each episode beside them, for the 3-D. */
  async rolloutFile(id: string): Promise<string | null> {
    const path = join(this.folder, "extra/rollouts", `${id}.rollout`);
    return this.has(id) && (await isFile(path)) ? path : null;
  }

  async videoFile(id: string, camera: string): Promise<string | null> {
    const episode = this.listed.get(id);
    if (!episode) return null;
    const { index } = episode;
    if (this.filmedCameras(index).includes(camera)) return await this.film(index, camera);
    const path = this.storedVideos(index).get(camera)?.path;
    return path !== undefined && (await isFile(path)) ? path : null;
  }

  close(): Promise<void> {
    return this.set.reader.close();
  }

  private cameras(): string[] {
    const { features } = this.set.reader.info;
    return Object.keys(features).filter((name) => ["video", "image"].includes(features[name]!.dtype));
  }

  /** Cameras whose pictures are single ones: a film is made of them when it is asked for. */
  private filmedCameras(index: number): string[] {
    return this.cameras().filter((camera) => this.set.videoOf(index, camera) === null);
  }

  /** A set that names a video outside its own folder does not get it. */
  private storedVideos(index: number): ReadonlyMap<string, VideoPlace> {
    const places = this.cameras().map((camera) => [camera, this.set.videoOf(index, camera)] as const);
    return new Map(
      places.filter((entry): entry is readonly [string, VideoPlace] => {
        return entry[1] !== null && isInside(this.folder, entry[1].path);
      }),
    );
  }

  private async film(index: number, camera: string): Promise<string> {
    const { reader } = this.set;
    const { timestampsS } = playableTimes(await reader.episode(index), reader.info.fps);
    const timesS = timestampsS.map((timeS) => timeS - timestampsS[0]!);
    const pictures = () => reader.frames(index, camera);
    return await this.films.film(`${this.folder} ${index} ${camera}`, { pictures, timesS, rateHz: reader.info.fps });
  }
}

/** One set of the library: opened when first asked for, and anew when its metadata changes. */
export type Dataset = { source(): Promise<GroupSource>; close(): Promise<void> };

const stateOf = (path: string) =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
    () => "",
  );

/** What changes when an episode is added: the folder itself, or what LeRobot keeps under `meta`. */
const watched = [".", "meta/info.json", "meta/episodes.jsonl", "meta/episodes"];

/**
 * @param path a folder, or a file of several episodes
 * @param group its identity in the list
 */
export function createDataset(
  path: string,
  group: Omit<EpisodeGroup, "episodes">,
  open: () => Promise<OpenedSet>,
  films: Films,
): Dataset {
  let opened: { key: string; group: DatasetGroup } | null = null;
  let opening: Promise<GroupSource> | null = null;
  const refused = (error: unknown): GroupSource => {
    if (!(error instanceof UserError)) throw error;
    const nothing = async () => null;
    const empty: EpisodeGroup = { ...group, episodes: [], problem: error.message };
    return {
      group: empty,
      has: () => false,
      episode: () => Promise.reject(error),
      rolloutFile: nothing,
      videoFile: nothing,
    };
  };
  const openIfChanged = async (): Promise<GroupSource> => {
    const key = (await Promise.all(watched.map((name) => stateOf(join(path, name))))).join();
    if (opened?.key === key) return opened.group;
    try {
      const set = await open();
      await opened?.group.close();
      opened = { key, group: new DatasetGroup(path, group, set, films) };
      return opened.group;
    } catch (error) {
      return refused(error);
    }
  };
  return {
    /** Two pages that ask at once get one reader. */
    source() {
      opening ??= openIfChanged().finally(() => {
        opening = null;
      });
      return opening;
    },
    async close() {
      await opened?.group.close();
    },
  };
}
