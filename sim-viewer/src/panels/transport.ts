import { type Playback, speeds } from "../episode/playback.ts";
import { element, icon, iconButton } from "./dom.ts";

export type Transport = {
  readonly root: HTMLElement;
  /** Shows the clock's state. */
  update(playback: Playback | null): void;
};

export type TransportActions = {
  toggle(): void;
  step(frames: number): void;
  seekFrame(frame: number): void;
  setSpeed(speed: number): void;
  toggleLoop(): void;
};

const speedLabel = (speed: number) => `${speed}×`;

/** The bar under the 3-D view: play, step, scrub, speed and where we are. */
export function createTransport(actions: TransportActions): Transport {
  const play = iconButton("play", "Play (space)", actions.toggle);
  play.classList.add("play");
  const scrubber = element("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    value: 0,
    class: "scrubber",
    "aria-label": "Frame",
  });
  scrubber.addEventListener("input", () => actions.seekFrame(scrubber.valueAsNumber));
  const speed = element(
    "select",
    { "aria-label": "Speed", title: "Speed (- and +)" },
    ...speeds.map((value) => element("option", { value, selected: value === 1 }, speedLabel(value))),
  );
  speed.addEventListener("change", () => actions.setSpeed(Number(speed.value)));
  const loop = iconButton("loop", "Play in a loop (L)", actions.toggleLoop);
  const time = element("output", { class: "readout" });
  const frameText = element("output", { class: "readout readout-frame" });
  const controls = [
    iconButton("start", "First frame (Home)", () => actions.seekFrame(0)),
    iconButton("previous", "Previous frame (left arrow)", () => actions.step(-1)),
    play,
    iconButton("next", "Next frame (right arrow)", () => actions.step(1)),
    iconButton("end", "Last frame (End)", () => actions.seekFrame(Number.POSITIVE_INFINITY)),
  ];
  let wasPlaying = false;
  return {
    root: element(
      "div",
      { class: "transport", role: "group", "aria-label": "Playback" },
      element("div", { class: "transport-buttons" }, ...controls),
      time,
      scrubber,
      frameText,
      loop,
      speed,
    ),
    update(playback) {
      const isIdle = playback === null || playback.frames < 2;
      for (const control of [...controls, scrubber, speed, loop]) control.disabled = isIdle;
      if (!playback) {
        time.textContent = frameText.textContent = "";
        return;
      }
      const frame = playback.frame();
      scrubber.max = String(Math.max(playback.frames - 1, 0));
      scrubber.valueAsNumber = frame;
      scrubber.style.setProperty("--fill", `${(100 * frame) / Math.max(playback.frames - 1, 1)}%`);
      scrubber.setAttribute("aria-valuetext", `frame ${frame} of ${playback.frames}`);
      loop.setAttribute("aria-pressed", String(playback.isLooping));
      time.textContent = `${(playback.timeS - playback.startS).toFixed(2)} s / ${playback.durationS.toFixed(2)} s`;
      frameText.textContent = `Frame ${frame} / ${playback.frames - 1}`;
      if (Number(speed.value) !== playback.speed) speed.value = String(playback.speed);
      if (wasPlaying === playback.isPlaying) return;
      wasPlaying = playback.isPlaying;
      const label = wasPlaying ? "Pause (space)" : "Play (space)";
      play.replaceChildren(icon(wasPlaying ? "pause" : "play"));
      play.title = label;
      play.setAttribute("aria-label", label);
    },
  };
}
