import type { PredictedChunks } from "#world/scene/rollout-log.ts";
import { frameAt } from "../episode/playback.ts";
import { chunkAt } from "../episode/traces.ts";
import type { Series } from "../episode/viewer-protocol.ts";
import { channelColor, createChart } from "./chart.ts";
import { element } from "./dom.ts";

/** The numbers of one episode. `chunks` are what the policy predicted for the series called "action". */
export type PlottedEpisode = {
  readonly label: string;
  readonly series: readonly Series[];
  readonly timestampsS: readonly number[];
  readonly chunks: PredictedChunks | null;
};

export type Plots = {
  readonly root: HTMLElement;
  /** @param other drawn dashed into the plots of equal name */
  show(episode: PlottedEpisode | null, other: PlottedEpisode | null): void;
  /** Moves the playhead of every plot and shows the values under it. */
  update(timeS: number): void;
};

type Plot = { readonly root: HTMLElement; update(timeS: number): void; dispose(): void };

/** Three decimals, or an exponent where those would say nothing; what is smaller than a millionth is noise. */
export const formatValue = (value: number | null | undefined) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return (size > 1e-6 && size < 0.001) || size >= 10000 ? value.toExponential(1) : value.toFixed(size < 10 ? 3 : 1);
};

function makeLegend(channels: readonly string[], toggle: (channel: number, isShown: boolean) => void) {
  const values = channels.map(() => element("span", { class: "legend-value" }));
  const items = channels.map((name, channel) => {
    const item = element(
      "button",
      { type: "button", class: "legend-item", "aria-pressed": "true", title: `Show or hide ${name}` },
      element("i", {}),
      element("span", { class: "legend-name" }, name),
      values[channel],
    );
    item.style.setProperty("--color", channelColor(channel));
    item.addEventListener("click", () => {
      const isShown = item.getAttribute("aria-pressed") !== "true";
      item.setAttribute("aria-pressed", String(isShown));
      toggle(channel, isShown);
    });
    return item;
  });
  return { root: element("div", { class: "legend" }, ...items), values };
}

function createPlot(
  series: Series,
  episode: PlottedEpisode,
  other: PlottedEpisode | null,
  seekTime: (timeS: number) => void,
): Plot {
  const twin = other?.series.find(({ name }) => name === series.name) ?? null;
  const area = element("div", { class: "plot-area" });
  const chunks = series.name === "action" ? episode.chunks : null;
  const compared = other && twin && { series: twin, timestampsS: other.timestampsS };
  const chart = createChart(area, { series, timestampsS: episode.timestampsS }, compared, seekTime);
  const legend = makeLegend(series.channels, chart.setChannel);
  const key = [
    ...(compared ? [`solid: ${episode.label}`, `dashed: ${other?.label}`] : []),
    ...(chunks ? ["dotted: predicted"] : []),
  ].join(" · ");
  let shownChunk = -1;
  const showChunk = (frame: number) => {
    const chunk = chunks ? chunkAt(chunks, frame) : -1;
    if (!chunks || chunk === shownChunk) return;
    shownChunk = chunk;
    const width = series.channels.length;
    const start = chunk * chunks.length * width;
    const values = chunk < 0 ? [] : chunks.actions.subarray(start, start + chunks.length * width);
    chart.setPredicted(chunks.frames[chunk] ?? 0, values);
  };
  return {
    root: element(
      "section",
      { class: "plot", "aria-label": `Plot of ${series.name}` },
      element("h2", {}, series.name, element("span", { class: "plot-key" }, key)),
      area,
      legend.root,
    ),
    update(timeS) {
      chart.setPlayhead(timeS);
      const frame = frameAt(episode.timestampsS, timeS);
      showChunk(frame);
      legend.values.forEach((node, channel) => {
        node.textContent = formatValue(series.values[channel]?.[frame]);
      });
    },
    dispose: chart.dispose,
  };
}

/** The plots of all columns over time. @param seekTime called when a plot is pressed or dragged on */
export function createPlots(seekTime: (timeS: number) => void): Plots {
  const root = element("div", { class: "plots" });
  let plots: Plot[] = [];
  return {
    root,
    show(episode, other) {
      for (const plot of plots) plot.dispose();
      plots = episode?.series.map((series) => createPlot(series, episode, other, seekTime)) ?? [];
      root.replaceChildren(...plots.map((plot) => plot.root));
    },
    update(timeS) {
      for (const plot of plots) plot.update(timeS);
    },
  };
}
