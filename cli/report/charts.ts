/** @file Charts as SVG text, drawn by Observable Plot without a browser. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** SVG text of a plot. */
export function drawChart(options: Plot.PlotOptions): string {
  const style = { fontSize: "12px", fontFamily: "inherit", background: "transparent" };
  const element = Plot.plot({ document: document as never, style, ...options });
  return (element as unknown as { outerHTML: string }).outerHTML;
}

export type Point = { readonly x: number; readonly y: number; readonly series: string };

export type LineChart = {
  readonly points: readonly Point[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logarithmic?: boolean;
};

/** One line per series. */
export function lineChart({ points, xLabel, yLabel, logarithmic = false }: LineChart): string {
  return drawChart({
    width: 460,
    height: 230,
    marginLeft: 52,
    x: { label: xLabel },
    y: { label: yLabel, grid: true, type: logarithmic ? "log" : "linear", ticks: 5 },
    color: { legend: false, scheme: "tableau10" },
    marks: [
      Plot.lineY(points, { x: "x", y: "y", stroke: "series", strokeWidth: 1.6 }),
      Plot.text(
        points,
        Plot.selectLast({
          x: "x",
          y: "y",
          z: "series",
          text: "series",
          fill: "series",
          dx: -4,
          dy: -8,
          textAnchor: "end",
        }),
      ),
    ],
  });
}

export type Bar = { readonly name: string; readonly rate: number; readonly low: number; readonly high: number };

/** Success rates with their intervals, in per cent. */
export function successChart(bars: readonly Bar[]): string {
  const percent = bars.map(({ name, rate, low, high }) => ({
    name,
    rate: 100 * rate,
    low: 100 * low,
    high: 100 * high,
  }));
  return drawChart({
    width: 460,
    height: 60 + 44 * bars.length,
    marginLeft: 80,
    marginRight: 60,
    x: { label: "episodes solved, %", domain: [0, 100], grid: true },
    y: { label: null, domain: percent.map(({ name }) => name) },
    color: { range: ["#4269d0", "#a3acbd"], domain: [true, false] },
    marks: [
      Plot.barX(percent, {
        y: "name",
        x: "rate",
        fill: (bar: Bar) => bar.name === bars[0]?.name,
        insetTop: 6,
        insetBottom: 6,
      }),
      Plot.ruleY(percent, { y: "name", x1: "low", x2: "high", strokeWidth: 2, stroke: "#222" }),
      Plot.text(percent, {
        y: "name",
        x: "high",
        text: (bar: Bar) => `${bar.rate.toFixed(1)} %`,
        dx: 8,
        textAnchor: "start",
      }),
    ],
  });
}

export type Share = { readonly step: number; readonly code: string; readonly share: number };

/** Shares of the codes over training, stacked to 100 %. */
export function usageChart(shares: readonly Share[]): string {
  const percent = shares.map(({ step, code, share }) => ({ step, code, share: 100 * share }));
  return drawChart({
    width: 460,
    height: 230,
    x: { label: "training step" },
    y: { label: "share of use, %", domain: [0, 100] },
    color: { scheme: "tableau10" },
    marks: [Plot.areaY(percent, Plot.stackY({ x: "step", y: "share", fill: "code", order: "code", title: "code" }))],
  });
}

/** Panels side by side, each an `<svg>` of its own, to be put into a larger one. @param top y of the row, pixels */
export function sideBySide(panels: readonly string[], top: number): string {
  let left = 0;
  return panels
    .map((panel) => {
      const place = left;
      left += Number(/width="([\d.]+)"/.exec(panel)![1]);
      return panel.replace("<svg ", `<svg x="${place}" y="${top}" `);
    })
    .join("");
}
