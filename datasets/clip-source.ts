/** One stretch of video to learn from; without a range, the whole file. */
export type ClipSource = {
  /** Stable and unique inside its list: a path relative to the folder, an episode's name. */
  readonly name: string;
  readonly path: string;
  readonly caption?: string;
  /** Frames whose presentation time lies in [startS, endS). */
  readonly startS?: number;
  readonly endS?: number;
};
