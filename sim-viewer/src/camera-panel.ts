import { element } from "./dom.ts";
import { frameAt } from "./playback.ts";
import type { VideoSource } from "./viewer-protocol.ts";

/** A playing video may run this far off the clock before it is pulled back, seconds. */
const driftS = 0.12;

export type CameraPanel = {
  readonly root: HTMLElement;
  show(videos: readonly VideoSource[], timestampsS: readonly number[], title?: string): void;
  /** Brings all pictures to the clock: playing at its speed, or standing at exactly its frame. */
  sync(timeS: number, isPlaying: boolean, speed: number): void;
};

type Screen = { readonly video: HTMLVideoElement; readonly startS: number };

/** The middle of the frame's time on screen: safe from rounding at either edge. */
function middleOf(timestampsS: readonly number[], timeS: number): number {
  const frame = frameAt(timestampsS, timeS);
  const start = timestampsS[frame] ?? 0;
  const next = timestampsS[frame + 1];
  const before = timestampsS[frame - 1];
  const length = next !== undefined ? next - start : before !== undefined ? start - before : 0;
  return start + length / 2;
}

function makeScreen(source: VideoSource): { figure: HTMLElement; screen: Screen } {
  const video = element("video", {
    src: source.url,
    muted: true,
    playsinline: true,
    preload: "auto",
    "aria-label": `Camera ${source.camera}`,
  });
  video.muted = true;
  const name = source.camera.replace(/^observation\.images\./, "");
  const problem = element("p", { class: "picture-problem", hidden: true });
  video.addEventListener("error", () => {
    problem.hidden = false;
    problem.textContent = "This browser cannot play the video: the file is broken or its codec is unknown here.";
  });
  const figure = element(
    "figure",
    { class: "picture" },
    element("div", { class: "picture-frame" }, video, problem),
    element("figcaption", {}, name),
  );
  return { figure, screen: { video, startS: source.startS } };
}

function seek(video: HTMLVideoElement, timeS: number, toleranceS: number): void {
  const target = Number.isFinite(video.duration) ? Math.min(timeS, Math.max(video.duration - 0.001, 0)) : timeS;
  // One seek at a time: while scrubbing, the next call after it lands goes straight to the newest place.
  if (!video.seeking && Math.abs(video.currentTime - target) > toleranceS) video.currentTime = target;
}

/** The pictures of the episode's cameras, from the stored mp4 files. */
export function createCameraPanel(): CameraPanel {
  const root = element("section", { class: "pictures", "aria-label": "Camera pictures" });
  let screens: Screen[] = [];
  let times: readonly number[] = [];
  let state = { timeS: 0, isPlaying: false, speed: 1 };

  const syncOne = ({ video, startS }: Screen) => {
    const { timeS, isPlaying, speed } = state;
    if (video.readyState === 0 || video.error) return;
    if (isPlaying) {
      if (video.playbackRate !== speed) video.playbackRate = speed;
      seek(video, startS + timeS, driftS * Math.max(speed, 1));
      if (video.paused && !video.ended) video.play().catch(() => {});
    } else {
      if (!video.paused) video.pause();
      seek(video, startS + middleOf(times, timeS), 0.002);
    }
  };
  return {
    root,
    show(videos, timestampsS, title) {
      for (const { video } of screens) {
        video.removeAttribute("src");
        video.load();
      }
      times = timestampsS;
      const made = videos.map(makeScreen);
      screens = made.map(({ screen }) => screen);
      for (const screen of screens) {
        for (const event of ["loadeddata", "seeked"]) screen.video.addEventListener(event, () => syncOne(screen));
      }
      const heading = title === undefined ? null : element("h2", {}, title);
      const none = videos.length === 0 ? element("p", { class: "hint" }, "This episode has no camera videos.") : null;
      root.replaceChildren(...[heading, none].filter((node) => node !== null), ...made.map(({ figure }) => figure));
    },
    sync(timeS, isPlaying, speed) {
      state = { timeS, isPlaying, speed };
      screens.forEach(syncOne);
    },
  };
}
