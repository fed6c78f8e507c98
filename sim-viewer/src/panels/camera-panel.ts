import type { LoadedEpisode } from "../episode/load-episode.ts";
import { frameTimeAt } from "../episode/playback.ts";
import { cameraName } from "../episode/signals.ts";
import { videoStill, videoTarget } from "../episode/video-sync.ts";
import type { VideoSource } from "../episode/viewer-protocol.ts";
import type { Layer } from "../three/content.ts";
import { element } from "./dom.ts";
import { createTraceOverlay, type TraceOverlay } from "./trace-overlay.ts";

/** A playing video may run this far off the clock before it is set back, seconds of the clock; below, it is only hurried. */
const driftS = 0.3;
/** What browsers take as `playbackRate`. */
const [slowest, fastest] = [0.0625, 16];
/** Side of a picture that the viewer draws itself, pixels. */
const drawnPx = 384;

export type CameraPanel = {
  readonly root: HTMLElement;
  /** @param title heading, where two episodes stand side by side */
  show(episode: LoadedEpisode | null, title?: string): void;
  isEmpty(): boolean;
  /** Canvases of scene cameras that no video was written for, to be drawn by the 3-D view. */
  drawnPictures(): ReadonlyMap<string, HTMLCanvasElement>;
  /** Brings all pictures to the clock: playing at its speed, or standing at exactly its frame. */
  sync(timeS: number, isPlaying: boolean, speed: number): void;
};

/** One picture: a video or a drawn canvas, with the traces over it. */
type Screen = {
  readonly figure: HTMLElement;
  readonly video: HTMLVideoElement | null;
  sync(timeS: number, isPlaying: boolean, speed: number): void;
};

function makeFigure(picture: HTMLElement, overlay: HTMLCanvasElement, name: string, note: string): HTMLElement {
  return element(
    "figure",
    { class: "picture" },
    element("div", { class: "picture-frame" }, picture, overlay),
    element("figcaption", { title: note }, name),
  );
}

/** Gives the overlay's canvas as many pixels as it covers on the screen. */
function fitCanvas(canvas: HTMLCanvasElement): void {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((px) => Math.round(px * devicePixelRatio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

function syncPlaying(video: HTMLVideoElement, target: { timeS: number; rate: number }, speed: number): void {
  const behindS = target.timeS - video.currentTime;
  const paceS = target.rate * speed;
  if (Math.abs(behindS) > driftS * Math.max(paceS, 0.5) && !video.seeking) {
    video.currentTime = Math.min(target.timeS, Math.max((video.duration || target.timeS) - 0.001, 0));
  }
  // Small drift is run off within about half a second; a rate is not touched for differences nobody sees.
  const hurry = Math.min(Math.max(behindS * 2, -0.3 * paceS), 0.3 * paceS);
  const rate = Math.min(Math.max(paceS + hurry, slowest), fastest);
  if (Math.abs(video.playbackRate - rate) > 0.04 * rate) video.playbackRate = rate;
  if (video.paused && !video.ended) video.play().catch(() => {});
}

function syncStanding(video: HTMLVideoElement, timeS: number): void {
  if (!video.paused) video.pause();
  const target = Number.isFinite(video.duration) ? Math.min(timeS, Math.max(video.duration - 0.001, 0)) : timeS;
  // One seek at a time: while scrubbing, the next call after it lands goes straight to the newest place.
  if (!video.seeking && Math.abs(video.currentTime - target) > 0.002) video.currentTime = target;
}

function makeVideoScreen(source: VideoSource, timestampsS: readonly number[], overlay: TraceOverlay | null): Screen {
  const label = `Camera ${source.camera}`;
  const video = element("video", { src: source.url, playsinline: true, preload: "auto", "aria-label": label });
  video.muted = true;
  const problem = element("p", { class: "picture-problem", hidden: true });
  video.addEventListener("error", () => {
    problem.hidden = false;
    problem.textContent = "This browser cannot play the video: the file is broken or its codec is unknown here.";
  });
  const canvas = element("canvas", { class: "overlay", hidden: overlay === null });
  const figure = makeFigure(video, canvas, cameraName(source.camera), source.camera);
  figure.append(problem);
  let last: [number, boolean, number] = [0, false, 1];
  const sync = (timeS: number, isPlaying: boolean, speed: number) => {
    last = [timeS, isPlaying, speed];
    if (video.readyState === 0 || video.error) return;
    if (isPlaying) syncPlaying(video, videoTarget(source.frameTimesS, timestampsS, timeS), speed);
    else syncStanding(video, videoStill(source.frameTimesS, timestampsS, timeS));
    if (!overlay) return;
    fitCanvas(canvas);
    // A picture stands still between two frames, so its traces do too.
    const { frame } = frameTimeAt(timestampsS, timeS);
    overlay(canvas, { frame, fraction: 0 }, video.videoWidth / video.videoHeight);
  };
  // Sought before the first frame is decoded: browsers may paint that one over a later seek.
  for (const event of ["loadedmetadata", "seeked"]) video.addEventListener(event, () => sync(...last));
  return { figure, video, sync };
}

function makeDrawnScreen(
  camera: string,
  timestampsS: readonly number[],
  overlay: TraceOverlay | null,
): Screen & { readonly drawn: HTMLCanvasElement } {
  const drawn = element("canvas", { width: drawnPx, height: drawnPx, class: "drawn", role: "img" });
  drawn.setAttribute("aria-label", `Camera ${camera}, drawn by the viewer`);
  const canvas = element("canvas", { class: "overlay", hidden: overlay === null });
  const note = "No video was written: the viewer draws what this camera sees.";
  const figure = makeFigure(drawn, canvas, `${camera} (drawn)`, note);
  const sync = (timeS: number) => {
    if (!overlay) return;
    fitCanvas(canvas);
    overlay(canvas, frameTimeAt(timestampsS, timeS), 1);
  };
  return { figure, video: null, drawn, sync };
}

/**
 * The pictures of the episode's cameras: stored videos, and for scene cameras without one what the 3-D view draws.
 *
 * @param isShown whether a layer is to be drawn over the pictures
 */
export function createCameraPanel(isShown: (layer: Layer) => boolean): CameraPanel {
  const root = element("section", { class: "pictures", "aria-label": "Camera pictures" });
  let screens: Screen[] = [];
  let drawn: ReadonlyMap<string, HTMLCanvasElement> = new Map();
  return {
    root,
    show(episode, title) {
      for (const { video } of screens) {
        video?.removeAttribute("src");
        video?.load();
      }
      const { videos = [], timestampsS = [] } = episode?.detail ?? {};
      const overlayOf = (camera: string) => episode && createTraceOverlay(episode, cameraName(camera), isShown);
      const unfilmed = (episode?.log?.scene.cameras ?? []).filter(
        ({ name }) => !videos.some(({ camera }) => cameraName(camera) === name),
      );
      const drawnScreens = unfilmed.map(
        ({ name }) => [name, makeDrawnScreen(name, timestampsS, overlayOf(name))] as const,
      );
      drawn = new Map(drawnScreens.map(([name, screen]) => [name, screen.drawn]));
      screens = [
        ...videos.map((source) => makeVideoScreen(source, timestampsS, overlayOf(source.camera))),
        ...drawnScreens.map(([, screen]) => screen),
      ];
      const heading = title === undefined ? null : element("h2", {}, title);
      root.replaceChildren(...(heading ? [heading] : []), ...screens.map(({ figure }) => figure));
    },
    isEmpty: () => screens.length === 0,
    drawnPictures: () => drawn,
    sync(timeS, isPlaying, speed) {
      for (const screen of screens) screen.sync(timeS, isPlaying, speed);
    },
  };
}
