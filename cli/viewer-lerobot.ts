import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Episode, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import { toSeries } from "#sim-viewer/src/signals.ts";
import type {
  EpisodeDetail,
  EpisodeGroup,
  EpisodeSummary,
  Series,
  VideoSource,
} from "#sim-viewer/src/viewer-protocol.ts";
import { readRollout } from "./viewer-rollouts.ts";

/** @file A LeRobot set as the viewer lists and opens it: columns and tasks by the reader, pictures as the stored mp4. */

export type OpenReader = (path: string) => Promise<EpisodeReader>;

export type LeRobotSource = {
  group(): Promise<EpisodeGroup>;
  episode(id: string, url: (kind: string, ...parts: string[]) => string): Promise<EpisodeDetail>;
  rolloutFile(id: string): Promise<string | null>;
  videoFile(id: string, camera: string): Promise<string | null>;
  close(): Promise<void>;
};

/** Columns that every set carries and nobody plots. */
const bookkeeping = new Set(["timestamp", "frame_index", "episode_index", "index", "task_index", "next.done"]);
/** More channels than this make no readable plot (a depth map, an embedding). */
const mostChannels = 64;

const exists = (path: string) =>
  stat(path).then(
    (info) => info.isFile() && info.size > 0,
    () => false,
  );
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
    if (!(column instanceof Float32Array || column instanceof Float64Array || column instanceof BigInt64Array))
      continue;
    const numbers = column instanceof BigInt64Array ? Float64Array.from(column, Number) : column;
    series.push(toSeries(name, channelNames(name, feature, width), numbers));
  }
  return series.sort((left, right) => rank(left.name) - rank(right.name));
}

/** Lengths and tasks of all episodes from `meta/episodes.jsonl`, without opening a single Parquet file. */
async function readEpisodeLines(folder: string): Promise<Map<number, { frames: number; tasks: string[] }>> {
  const lines = new Map<number, { frames: number; tasks: string[] }>();
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

export function createLeRobotSource(folder: string, group: string, open: OpenReader): LeRobotSource {
  let opened: Promise<EpisodeReader> | undefined;
  const reader = () => {
    opened ??= open(folder);
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
  const rolloutPath = (id: string) => join(folder, "extra/rollouts", `${id}.rollout`);

  async function summarize(
    info: EpisodeReader["info"],
    index: number,
    line?: { frames: number; tasks: string[] },
  ): Promise<EpisodeSummary> {
    const id = episodeId(index);
    return {
      id,
      label: `Episode ${index}`,
      instruction: line?.tasks.join(" · ") ?? "",
      frames: line?.frames ?? 0,
      rateHz: info.fps,
      success: null,
      reasons: [],
      policyId: "",
      task: "",
      split: "",
      instance: "",
    };
  }

  function indexOf(id: string): number {
    const match = /^episode_(\d{6,})$/.exec(id);
    if (!match) throw new UserError(`viewer: expected an episode like "episode_000000" of ${folder}, got "${id}".`);
    return Number(match[1]);
  }

  async function videoFile(id: string, camera: string): Promise<string | null> {
    const { info } = await reader();
    if (info.features[camera]?.dtype !== "video") return null;
    const path = join(folder, `videos/chunk-000/${camera}/${episodeId(indexOf(id))}.mp4`);
    return (await exists(path)) ? path : null;
  }

  return {
    async group() {
      const base = { id: group, label: basename(folder), kind: "lerobot" } as const;
      try {
        const { info } = await reader();
        const lines = await readEpisodeLines(folder);
        const indices = lines.size > 0 ? [...lines.keys()] : Array.from({ length: info.episodes }, (_, index) => index);
        return {
          ...base,
          episodes: await Promise.all(indices.map((index) => summarize(info, index, lines.get(index)))),
        };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { ...base, episodes: [], problem: error.message };
      }
    },
    async episode(id, url) {
      const { info } = await reader();
      const index = indexOf(id);
      const [episode, lines] = [await (await reader()).episode(index), await readEpisodeLines(folder)];
      const notes: string[] = [];
      const videos: VideoSource[] = [];
      for (const [camera, feature] of Object.entries(info.features)) {
        if (feature.dtype !== "video") continue;
        if (await videoFile(id, camera)) videos.push({ camera, url: url("video", camera), startS: 0 });
        else notes.push(`Camera ${camera}: the video of this episode is missing.`);
      }
      const path = rolloutPath(id);
      const hasRollout = await exists(path);
      const log = hasRollout
        ? await readRollout(path).catch((error: Error) => void notes.push(error.message))
        : undefined;
      const line = { frames: episode.length, tasks: lines.get(index)?.tasks ?? [...episode.tasks] };
      return {
        group,
        summary: {
          ...(await summarize(info, index, line)),
          ...(log ? { success: log.success, reasons: log.reasons } : {}),
        },
        timestampsS: Array.from(episode.timestampsS),
        series: episodeSeries(info.features, episode),
        videos,
        rolloutUrl: log ? url("rollout") : null,
        notes,
      };
    },
    async rolloutFile(id) {
      indexOf(id);
      const path = rolloutPath(id);
      return (await exists(path)) ? path : null;
    },
    videoFile,
    async close() {
      await (await opened)?.close();
    },
  };
}
