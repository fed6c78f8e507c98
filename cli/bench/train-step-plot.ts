/** @file The picture of `bench train-step`: engines against their competitors, and how a step's time grows with its size. */
import * as Plot from "@observablehq/plot";
import type { Result } from "#core/results.ts";
import { drawChart, sideBySide } from "../report/charts.ts";

type StepRow = {
  readonly size: string;
  readonly engine: string;
  readonly medianMs: number;
  /** Time by PyTorch's in the same round, median over the rounds. */
  readonly vsTorch: number;
};
type GrowthRow = {
  readonly along: string;
  readonly value: number;
  readonly engine: string;
  readonly medianMs: number;
  readonly peakShare: number;
};

const titles: Readonly<Record<string, string>> = {
  a: "step (a): 3.2 M weights, batch 16",
  b: "step (b): 0.4 M weights, batch 4",
  m21: "21 M weights, 12 layers, batch 4",
};
const own = ["tensorflow", "xla", "onnxruntime"];
const colours = { own: "#2f6db5", other: "#b4bac4", text: "#3a3f47" };
const [width, barsHeight, growthHeight, titleHeight] = [960, 250, 230, 34];

const milliseconds = (ms: number) => `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;

function barPanel(size: string, rows: readonly StepRow[], isFirst: boolean): string {
  const bars = rows
    .filter(({ vsTorch }) => vsTorch !== undefined)
    .map((row) => ({ ...row, name: row.engine.replace(/(, TensorFlow)? [\d.]+(\+\w+)?$/, "") }))
    .toSorted((one, other) => rank(one.engine) - rank(other.engine));
  const longest = Math.max(...bars.map(({ vsTorch }) => vsTorch));
  return drawChart({
    width: isFirst ? 420 : 270,
    height: barsHeight,
    marginLeft: isFirst ? 158 : 8,
    marginRight: 8,
    marginTop: 30,
    marginBottom: 34,
    x: {
      label: "time by PyTorch's; shorter is faster",
      labelAnchor: "left",
      labelArrow: "none",
      ticks: 4,
      domain: [0, longest * 1.55],
    },
    y: { label: null, domain: bars.map(({ name }) => name), axis: isFirst ? "left" : null, tickSize: 0 },
    marks: [
      Plot.barX(bars, {
        x: "vsTorch",
        y: "name",
        fill: ({ engine }: StepRow) => (own.includes(engine) ? colours.own : colours.other),
        insetTop: 3,
        insetBottom: 3,
      }),
      Plot.text([titles[size]], { frameAnchor: "top-left", dy: -20, fontWeight: "bold", fill: colours.text }),
      Plot.ruleX([1], { stroke: colours.text, strokeDasharray: "3,3" }),
      Plot.text(bars, {
        x: "vsTorch",
        y: "name",
        text: ({ vsTorch, medianMs }: StepRow) => `${vsTorch.toFixed(2)} · ${milliseconds(medianMs)}`,
        textAnchor: "start",
        dx: 4,
        fill: colours.text,
        stroke: "white",
      }),
    ],
  });
}

/** Our engines first, then the others by name. */
const rank = (engine: string) => (own.includes(engine) ? own.indexOf(engine) : own.length);

/** Where the time axis has labels, ms. */
const levels = [2, 5, 10, 20, 50, 100, 200, 500, 1000];

function growthPanel(along: string, rows: readonly GrowthRow[], times: readonly [number, number], isFirst: boolean) {
  const values = rows.map(({ value }) => value);
  const shown = levels.filter((ms) => ms > times[0] && ms < times[1]);
  return drawChart({
    width: isFirst ? 270 : 230,
    height: growthHeight,
    marginLeft: isFirst ? 52 : 14,
    marginRight: 18,
    marginTop: 26,
    marginBottom: 34,
    x: {
      type: "log",
      base: 2,
      label: along,
      labelArrow: "none",
      labelAnchor: "center",
      ticks: values,
      tickFormat: String,
      domain: [values[0]! / 1.3, values.at(-1)! * 1.3],
    },
    y: { type: "log", domain: times, axis: null },
    marks: [
      Plot.gridY(shown, { strokeOpacity: 0.12 }),
      ...(isFirst ? [Plot.text(shown, { y: (ms) => ms, frameAnchor: "left", textAnchor: "end", dx: -6 })] : []),
      Plot.lineY(rows, { x: "value", y: "medianMs", stroke: colours.own, strokeWidth: 2 }),
      Plot.dot(rows, { x: "value", y: "medianMs", fill: colours.own, r: 3.5 }),
      Plot.text(rows, {
        x: "value",
        y: "medianMs",
        text: ({ peakShare }: GrowthRow) => `${(100 * peakShare).toFixed(0)} %`,
        dy: -13,
        fill: colours.text,
      }),
    ],
  });
}

const heading = (text: string, y: number) =>
  `<text x="8" y="${y}" font-size="15" font-weight="600" fill="${colours.text}">${text}</text>`;

function growthPanels(rows: readonly GrowthRow[]): string[] {
  const ms = rows.map(({ medianMs }) => medianMs);
  const times = [Math.min(...ms) / 1.3, Math.max(...ms) * 1.8] as const;
  const of = (along: string) => rows.filter((row) => row.along === along);
  return [...new Set(rows.map(({ along }) => along))].map((along, index) =>
    growthPanel(along, of(along), times, index === 0),
  );
}

/** Draws what was measured. @returns undefined where no step was */
export function drawTrainStepPlot({ rows: all, machine }: Result): string | undefined {
  const rows = all.filter((row) => row.machine === machine);
  const isStep = ({ kind, size }: Result["rows"][number]) => kind === "train step" && String(size) in titles;
  const steps = rows.filter(isStep) as unknown as StepRow[];
  const growth = rows.filter(({ kind }) => kind === "growth") as unknown as GrowthRow[];
  if (steps.length === 0) return undefined;
  const of = (size: string) => steps.filter((row) => row.size === size);
  const sizes = [...new Set(steps.map(({ size }) => size))];
  const bars = sizes.map((size, index) => barPanel(size, of(size), index === 0));
  const second = titleHeight + barsHeight + 40;
  const height = growth.length === 0 ? titleHeight + barsHeight + 8 : second + growthHeight + 12;
  const title = "One train step, float32: Armature's engines (blue) beside PyTorch, JAX and eager TensorFlow.js";
  const growthTitle = `Step (a) on ${growth[0]?.engine}, ms as one size changes; labels: share of the machine's measured peak`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="system-ui, sans-serif">`,
    `<title>${title}. ${machine}</title>`,
    '<rect width="100%" height="100%" fill="white"/>',
    heading(title, 22),
    sideBySide(bars, titleHeight),
    ...(growth.length === 0 ? [] : [heading(growthTitle, second - 10), sideBySide(growthPanels(growth), second)]),
    "</svg>",
  ].join("\n");
}
