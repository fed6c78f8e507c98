import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { element } from "./dom.ts";
import { frameAt } from "./playback.ts";
import type { Series } from "./viewer-protocol.ts";

/** Okabe and Ito's colour-blind-safe hues, lightened for a dark ground, then repeated dashed. */
const colors = ["#6cb8f5", "#f2b13c", "#3fc79a", "#ef8354", "#d99ac5", "#e8dc5f", "#8f9dff", "#b8c0cc"];

export type Plots = {
  readonly root: HTMLElement;
  show(series: readonly Series[], timestampsS: readonly number[]): void;
  /** Moves the cursor of every plot and shows the values under it. */
  update(timeS: number): void;
};

type Plot = { readonly root: HTMLElement; update(timeS: number): void; dispose(): void };

const formatValue = (value: number | null | undefined) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 10000) ? value.toExponential(1) : value.toFixed(size < 10 ? 3 : 1);
};

function plotOptions(series: Series, width: number, height: number, onDraw: () => void): uPlot.Options {
  const quiet = {
    stroke: "#8a95a5",
    grid: { stroke: "#222a35", width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  return {
    width,
    height,
    padding: [8, 10, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: { x: { time: false } },
    hooks: { draw: [onDraw] },
    axes: [
      { ...quiet, size: 22, values: (_plot, values) => values.map((value) => `${+value.toFixed(2)} s`) },
      { ...quiet, size: 48 },
    ],
    series: [
      {},
      ...series.channels.map((label, channel) => ({
        label,
        stroke: colors[channel % colors.length]!,
        width: 1.6,
        points: { show: false },
        ...(channel >= colors.length ? { dash: [5, 3] } : {}),
      })),
    ],
  };
}

function makeLegend(series: Series, toggle: (channel: number, isShown: boolean) => void) {
  const values = series.channels.map(() => element("span", { class: "legend-value" }));
  const items = series.channels.map((name, channel) => {
    const item = element(
      "button",
      { type: "button", class: "legend-item", "aria-pressed": "true", title: `Show or hide ${name}` },
      element("i", {}),
      element("span", { class: "legend-name" }, name),
      values[channel],
    );
    item.style.setProperty("--color", colors[channel % colors.length]!);
    item.addEventListener("click", () => {
      const isShown = item.getAttribute("aria-pressed") !== "true";
      item.setAttribute("aria-pressed", String(isShown));
      toggle(channel, isShown);
    });
    return item;
  });
  return { root: element("div", { class: "legend" }, ...items), values };
}

function createPlot(series: Series, timestampsS: readonly number[], seekTime: (timeS: number) => void): Plot {
  const area = element("div", { class: "plot-area" });
  const playhead = element("div", { class: "playhead" });
  let plot: uPlot | null = null;
  let timeS = timestampsS[0] ?? 0;
  const placePlayhead = () => {
    if (plot) playhead.style.transform = `translateX(${plot.valToPos(timeS, "x")}px)`;
  };
  const legend = makeLegend(series, (channel, isShown) => plot?.setSeries(channel + 1, { show: isShown }));
  const resize = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = area;
    if (width < 60 || height < 40) return;
    if (plot) plot.setSize({ width, height });
    else {
      plot = new uPlot(plotOptions(series, width, height, placePlayhead), [timestampsS, ...series.values] as uPlot.AlignedData, area);
      plot.over.append(playhead);
      const seek = (event: PointerEvent) => {
        if (plot && event.buttons === 1)
          seekTime(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x"));
      };
      plot.over.addEventListener("pointerdown", seek);
      plot.over.addEventListener("pointermove", seek);
    }
    placePlayhead();
  });
  resize.observe(area);
  return {
    root: element(
      "section",
      { class: "plot", "aria-label": `Plot of ${series.name}` },
      element("h2", {}, series.name),
      area,
      legend.root,
    ),
    update(next) {
      timeS = next;
      placePlayhead();
      const frame = frameAt(timestampsS, timeS);
      legend.values.forEach((node, channel) => {
        node.textContent = formatValue(series.values[channel]?.[frame]);
      });
    },
    dispose() {
      resize.disconnect();
      plot?.destroy();
    },
  };
}

/** The plots of all columns over time. @param seekTime called when a plot is pressed or dragged on */
export function createPlots(seekTime: (timeS: number) => void): Plots {
  const root = element("div", { class: "plots" });
  let plots: Plot[] = [];
  return {
    root,
    show(series, timestampsS) {
      for (const plot of plots) plot.dispose();
      plots = series.map((one) => createPlot(one, timestampsS, seekTime));
      root.replaceChildren(...plots.map((plot) => plot.root));
    },
    update(timeS) {
      for (const plot of plots) plot.update(timeS);
    },
  };
}
