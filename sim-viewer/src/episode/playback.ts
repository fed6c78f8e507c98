import type { FrameTime } from "./poses.ts";

/** @file The playback clock: time in seconds of the episode, moved by the page's animation frames. No DOM, no timers. */

export const speeds = [0.25, 0.5, 1, 2, 4] as const;

/** Last index whose time is at or before `timeS` (binary search); 0 before the first. */
export function frameAt(timestampsS: readonly number[], timeS: number): number {
  let low = 0;
  let high = timestampsS.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (timestampsS[middle]! <= timeS) low = middle;
    else high = middle - 1;
  }
  return Math.max(low, 0);
}

/** Frame and fraction towards the next one; true timestamps, so an uneven camera plays unevenly. */
export function frameTimeAt(timestampsS: readonly number[], timeS: number): FrameTime {
  const frame = frameAt(timestampsS, timeS);
  const start = timestampsS[frame] ?? 0;
  const end = timestampsS[frame + 1];
  if (end === undefined || end <= start) return { frame, fraction: 0 };
  return { frame, fraction: Math.min(Math.max((timeS - start) / (end - start), 0), 0.999999) };
}

export type Playback = {
  readonly frames: number;
  readonly startS: number;
  readonly durationS: number;
  timeS: number;
  speed: number;
  isPlaying: boolean;
  /** Whether it starts over at the end instead of stopping there. */
  isLooping: boolean;
  frame(): number;
  /** Jumps to a frame's own time and stops; clamped to the episode. */
  seekFrame(frame: number): void;
  /** Jumps without stopping; clamped to the episode. */
  seekTime(timeS: number): void;
  /** Starts, from the beginning when the end was reached; or stops. */
  toggle(): void;
  /** Moves on by `elapsedS` of the wall clock. @returns whether anything changed */
  advance(elapsedS: number): boolean;
};

/** Makes a stopped clock at frame 0 over the given capture times, ascending. */
export function createPlayback(timestampsS: readonly number[], speed = 1, isLooping = false): Playback {
  const frames = timestampsS.length;
  const startS = timestampsS[0] ?? 0;
  const endS = timestampsS[frames - 1] ?? 0;
  const durationS = endS - startS;
  return {
    frames,
    startS,
    durationS,
    timeS: startS,
    speed,
    isPlaying: false,
    isLooping,
    frame() {
      return frameAt(timestampsS, this.timeS);
    },
    seekFrame(frame) {
      this.isPlaying = false;
      this.timeS = timestampsS[Math.min(Math.max(Math.round(frame), 0), frames - 1)] ?? 0;
    },
    seekTime(timeS) {
      this.timeS = Math.min(Math.max(timeS, startS), endS);
    },
    toggle() {
      if (!this.isPlaying && this.timeS >= endS) this.timeS = startS;
      this.isPlaying = !this.isPlaying && durationS > 0;
    },
    advance(elapsedS) {
      if (!this.isPlaying) return false;
      const next = this.timeS + elapsedS * this.speed;
      if (next < endS) this.timeS = next;
      else if (this.isLooping) this.timeS = startS + ((next - startS) % durationS);
      else {
        this.timeS = endS;
        this.isPlaying = false;
      }
      return true;
    },
  };
}
