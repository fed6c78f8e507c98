import { createPlayback, type Playback, speeds } from "./episode/playback.ts";

/** The page's one clock and what can be done to it; every change is told to `show`. */
export type Player = {
  /** Starts a stopped clock over an episode; `null`: nothing is open. Speed and loop stay as they were. */
  load(timestampsS: readonly number[] | null, frame: number): void;
  frame(): number;
  toggle(): void;
  step(frames: number): void;
  seekFrame(frame: number): void;
  /** Jumps to the frame that is shown at this instant. */
  seekTime(timeS: number): void;
  setSpeed(speed: number): void;
  /** @param by steps among the offered speeds */
  changeSpeed(by: number): void;
  toggleLoop(): void;
  /** Shows the present instant again. */
  refresh(): void;
  /** Moves on by `elapsedS` of the wall clock. */
  tick(elapsedS: number): void;
};

/** @param show draws one instant everywhere */
export function createPlayer(show: (playback: Playback | null) => void): Player {
  let playback: Playback | null = null;
  let speed = 1;
  let isLooping = false;
  const refresh = () => show(playback);
  const setSpeed = (next: number) => {
    speed = next;
    if (playback) playback.speed = next;
    refresh();
  };
  const seekFrame = (frame: number) => {
    playback?.seekFrame(frame);
    refresh();
  };
  return {
    refresh,
    setSpeed,
    seekFrame,
    load(timestampsS, frame) {
      playback = timestampsS && createPlayback(timestampsS, speed, isLooping);
      seekFrame(frame);
    },
    frame: () => playback?.frame() ?? 0,
    toggle() {
      playback?.toggle();
      refresh();
    },
    step(frames) {
      if (playback) seekFrame(playback.frame() + frames);
    },
    seekTime(timeS) {
      playback?.seekTime(timeS);
      if (playback) seekFrame(playback.frame());
    },
    changeSpeed(by) {
      const index = speeds.indexOf(speed as (typeof speeds)[number]);
      setSpeed(speeds[Math.min(Math.max(index + by, 0), speeds.length - 1)]!);
    },
    toggleLoop() {
      isLooping = !isLooping;
      if (playback) playback.isLooping = isLooping;
      refresh();
    },
    tick(elapsedS) {
      if (playback?.advance(elapsedS)) refresh();
    },
  };
}
