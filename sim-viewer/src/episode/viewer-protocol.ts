/**
 * @file What the viewer's server and page say to each other: plain JSON, one place for both sides. Binary rollouts and
 * videos are plain files behind the URLs that these answers hand out; the page never builds a file path itself.
 */

/** One line of the episode list. */
export type EpisodeSummary = {
  /** Unique inside its group; part of the deep link. */
  readonly id: string;
  readonly label: string;
  readonly instruction: string;
  /** 0 when the length is not known before the episode is opened. */
  readonly frames: number;
  readonly rateHz: number;
  /** `null`: nobody judged this episode. */
  readonly success: boolean | null;
  readonly reasons: readonly string[];
  readonly policyId: string;
  readonly task: string;
  readonly split: string;
  /** Hash of the task instance: episodes of equal hash can be compared. Empty when unknown. */
  readonly instance: string;
  /** Why this episode cannot be played; the others of the group stay playable. */
  readonly problem?: string;
};

export type EpisodeGroup = {
  readonly id: string;
  readonly label: string;
  readonly kind: "rollouts" | "lerobot" | "rlds" | "hdf5" | "mcap";
  readonly episodes: readonly EpisodeSummary[];
  /** Why the group as a whole cannot be read. */
  readonly problem?: string;
};

/** Answer of `GET /api/catalog`. */
export type Catalog = {
  readonly path: string;
  readonly groups: readonly EpisodeGroup[];
  /** Address of a rosbridge whose robot may be watched live. */
  readonly robot?: string;
};

/** Numbers over time: `values[channel][frame]`; `null` stands for what JSON cannot carry (NaN, infinity). */
export type Series = {
  readonly name: string;
  readonly channels: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
};

/** One camera's video: frame t of the episode comes on at `frameTimesS[t]` of the file, seconds. */
export type VideoSource = { readonly camera: string; readonly url: string; readonly frameTimesS: readonly number[] };

/** Answer of `GET /api/episode/GROUP/ID`. */
export type EpisodeDetail = {
  readonly group: string;
  readonly summary: EpisodeSummary;
  /** Capture times in seconds from the episode's start, one per frame. */
  readonly timestampsS: readonly number[];
  readonly series: readonly Series[];
  readonly videos: readonly VideoSource[];
  /** Where the RolloutLog is, when this episode can be drawn in 3-D. */
  readonly rolloutUrl: string | null;
  /** Things that are missing or broken but do not stop the episode from playing. */
  readonly notes: readonly string[];
};

/** Body of every answer that is not 2xx. */
export type ViewerProblem = { readonly problem: string };
