import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Series } from "../episode/viewer-protocol.ts";
import { element } from "./dom.ts";

/** @file One uPlot chart with a playhead: channels over time, a second episode dashed, a predicted chunk dotted. */

/** Okabe and Ito's colour-blind-safe hues, lightened for a dark ground, then repeated dashed. */
const colors = ["#6cb8f5", "#f2b13c", "#3fc79a", "#ef8354", "#d99ac5", "#e8dc5f", "#8f9dff", "#b8c0cc"];

export const channelColor = (channel: number) => colors[channel % colors.length]!;

export type Chart = {
  setPlayhead(timeS: number): void;
  setChannel(channel: number, isShown: boolean): void;
  /** @param values f32[L, channels]: row i belongs to frame `frame + i` */
  setPredicted(frame: number, values: ArrayLike<number>): void;
  /** Replaces what is drawn; for charts that run along with the time. @param rangeS shown on the time axis */
  setData(own: TimedValues, other: TimedValues, rangeS: readonly [number, number]): void;
  dispose(): void;
};

/** Times in seconds and one list of values per channel. */
type TimedValues = readonly [timesS: readonly number[], values: readonly (readonly (number | null)[])[]];

type Timed = { readonly series: Series; readonly timestampsS: readonly number[] };

function chartOptions(
  channels: readonly string[],
  hasTwin: boolean,
  size: { width: number; height: number },
  onDraw: (plot: uPlot) => void,
): uPlot.Options {
  const quiet = {
    stroke: "#8a95a5",
    grid: { stroke: "#222a35", width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  const lines = channels.map((label, channel) => ({
    label,
    stroke: channelColor(channel),
    width: 1.6,
    points: { show: false },
    ...(channel >= colors.length ? { dash: [6, 3] } : {}),
  }));
  const twins = hasTwin ? lines.map((line) => ({ ...line, width: 1.3, alpha: 0.75, dash: [3, 4] })) : [];
  return {
    ...size,
    padding: [8, 10, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: { x: { time: false } },
    hooks: { draw: [onDraw] },
    axes: [
      { ...quiet, size: 22, values: (_plot, values) => values.map((value) => `${+value.toFixed(2)} s`) },
      { ...quiet, size: 48 },
    ],
    series: [{}, ...lines, ...twins],
  };
}

/** Both episodes on one time axis; channels of the second follow those of the first, in the first's order. */
function alignData({ series, timestampsS }: Timed, other: Timed | null): uPlot.AlignedData {
  const own = [timestampsS, ...series.values] as uPlot.AlignedData;
  if (!other) return own;
  const empty = other.timestampsS.map(() => null);
  const twins = series.channels.map((name) => other.series.values[other.series.channels.indexOf(name)] ?? empty);
  return uPlot.join([own, [other.timestampsS, ...twins] as uPlot.AlignedData]);
}

type Predicted = { readonly frame: number; readonly values: ArrayLike<number> };

function drawPredicted(plot: uPlot, { series, timestampsS }: Timed, { frame, values }: Predicted): void {
  const { ctx: context, bbox } = plot;
  const width = series.channels.length;
  const stepS = timestampsS.length > 1 ? (timestampsS.at(-1)! - timestampsS[0]!) / (timestampsS.length - 1) : 0;
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  context.clip();
  for (let channel = 0; channel < width; channel++) {
    if (!plot.series[channel + 1]?.show) continue;
    context.fillStyle = channelColor(channel);
    for (let row = 0; row * width < values.length; row++) {
      const timeS =
        timestampsS[frame + row] ?? (timestampsS.at(-1) ?? 0) + (frame + row - timestampsS.length + 1) * stepS;
      const x = plot.valToPos(timeS, "x", true);
      const y = plot.valToPos(values[row * width + channel]!, "y", true);
      context.beginPath();
      context.arc(x, y, 2.4 * uPlot.pxRatio, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.restore();
}

/**
 * Makes a chart that fills `area` and follows its size.
 *
 * @param seekTime called with seconds when it is pressed or dragged on; `null`: it runs along and has no playhead
 */
export function createChart(
  area: HTMLElement,
  main: Timed,
  other: Timed | null,
  seekTime: ((timeS: number) => void) | null,
): Chart {
  const playhead = element("div", { class: "playhead" });
  let plot: uPlot | null = null;
  let timeS = main.timestampsS[0] ?? 0;
  let predicted: Predicted = { frame: 0, values: [] };
  const placePlayhead = () => {
    if (plot) playhead.style.transform = `translateX(${plot.valToPos(timeS, "x")}px)`;
  };
  const onDraw = (drawn: uPlot) => {
    drawPredicted(drawn, main, predicted);
    placePlayhead();
  };
  const seek = (event: PointerEvent) => {
    if (plot && event.buttons === 1) {
      seekTime?.(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x"));
    }
  };
  const start = (size: { width: number; height: number }) => {
    plot = new uPlot(chartOptions(main.series.channels, other !== null, size, onDraw), alignData(main, other), area);
    if (!seekTime) return;
    plot.over.append(playhead);
    plot.over.addEventListener("pointerdown", seek);
    plot.over.addEventListener("pointermove", seek);
  };
  const resize = new ResizeObserver(() => {
    const size = { width: area.clientWidth, height: area.clientHeight };
    if (size.width < 60 || size.height < 40) return;
    if (plot) plot.setSize(size);
    else start(size);
    placePlayhead();
  });
  resize.observe(area);
  return {
    setPlayhead(next) {
      timeS = next;
      placePlayhead();
    },
    setChannel(channel, isShown) {
      plot?.setSeries(channel + 1, { show: isShown });
      if (other) plot?.setSeries(channel + 1 + main.series.channels.length, { show: isShown });
    },
    setPredicted(frame, values) {
      predicted = { frame, values };
      plot?.redraw(false);
    },
    setData(own, other, [min, max]) {
      plot?.batch(() => {
        plot?.setData(
          uPlot.join([
            [own[0], ...own[1]],
            [other[0], ...other[1]],
          ] as uPlot.AlignedData[]),
          false,
        );
        plot?.setScale("x", { min, max });
      });
    },
    dispose() {
      resize.disconnect();
      plot?.destroy();
    },
  };
}
