/** @file The picture of `bench lapa`: success by arm, one panel per setting, the paper's numbers as open circles. */
import * as Plot from "@observablehq/plot";
import type { Result } from "#core/results.ts";
import { drawChart, sideBySide } from "../report/charts.ts";

type Success = { readonly success: number; readonly low: number; readonly high: number };
type Comparison = {
  readonly scale: string;
  readonly setting: string;
  readonly condition: string;
  readonly labelled: number;
  readonly rollouts: number;
  readonly success: Readonly<Record<string, Success>>;
};

/** Language Table, seen tasks (arXiv 2410.11758, table 1), success. */
const published: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "in-domain": { scratch: 0.156, unipi: 0.22, vpt: 0.44, lapa: 0.62, actionVla: 0.77 },
  "cross-embodiment": { scratch: 0.156, unipi: 0.136, vpt: 0.18, lapa: 0.336, actionVla: 0.648 },
  "cross-task": { scratch: 0.272, unipi: 0.208, vpt: 0.72, lapa: 0.732, actionVla: 0.77 },
};

const names: Readonly<Record<string, string>> = {
  scratch: "Scratch",
  unipi: "UniPi",
  vpt: "VPT",
  lapa: "LAPA, as published",
  lapaImproved: "LAPA, ours",
  actionVla: "ActionVLA (all labels)",
};
const colours = { own: "#2f6db5", other: "#b4bac4", text: "#3a3f47" };
const [firstWidth, panelWidth, panelHeight, top] = [420, 300, 250, 40];

type Frame = { readonly suite: string; readonly arms: readonly string[]; readonly isFirst: boolean };

function panel({ scale, setting, success, labelled }: Comparison, { suite, arms, isFirst }: Frame): string {
  const missing = arms.filter((arm) => !(arm in success)).map((arm) => ({ name: names[arm]! }));
  const bars = Object.keys(names)
    .filter((arm) => arm in success)
    .map((arm) => ({ arm, name: names[arm]!, ...success[arm]! }));
  // The paper's numbers of Language Table belong beside its counterpart alone.
  const theirs = Object.entries(suite === "push" ? (published[setting] ?? {}) : {}).map(([arm, value]) => ({
    name: names[arm]!,
    value,
  }));
  return drawChart({
    width: isFirst ? firstWidth : panelWidth,
    height: panelHeight,
    marginLeft: isFirst ? 150 : 12,
    marginRight: 16,
    marginTop: 30,
    marginBottom: 36,
    x: {
      label: "success; lines: 95 % interval",
      labelAnchor: "center",
      labelArrow: "none",
      domain: [0, 1],
      tickFormat: "%",
      ticks: [0, 0.2, 0.4, 0.6, 0.8],
    },
    y: { label: null, domain: arms.map((arm) => names[arm]!), axis: isFirst ? "left" : null, tickSize: 0 },
    marks: [
      Plot.gridX({ strokeOpacity: 0.12 }),
      Plot.barX(bars, {
        x: "success",
        y: "name",
        fill: ({ arm }: { arm: string }) => (arm.startsWith("lapa") ? colours.own : colours.other),
        insetTop: 5,
        insetBottom: 5,
      }),
      Plot.ruleY(bars, { x1: "low", x2: "high", y: "name", stroke: colours.text, strokeWidth: 1.5 }),
      Plot.dot(
        theirs.filter(({ name }) => bars.some((bar) => bar.name === name)),
        { x: "value", y: "name", stroke: "#c2410c", fill: "white", r: 4, strokeWidth: 1.8 },
      ),
      Plot.text(missing, {
        ...{ x: 0, y: "name", text: () => "not measured", textAnchor: "start", dx: 6, fill: colours.text },
      }),
      Plot.text([`${setting}, ${labelled} labelled${scale === "full" ? "" : `, ${scale} scale`}`], {
        ...{ frameAnchor: "top-left", dy: -20, fontWeight: "bold", fill: colours.text },
      }),
    ],
  });
}

/** Draws the seen tasks of every setting. @returns undefined where nothing was compared */
export function drawLapaPlot({ rows, name, machine }: Result): string | undefined {
  const suite = name.replace(/^lapa-/, "");
  const all = rows.filter(({ kind }) => kind === "comparison") as unknown as Comparison[];
  const seen = all.filter(({ condition }) => condition === "seen");
  if (seen.length === 0) return undefined;
  const arms = Object.keys(names).filter((arm) => seen.some(({ success }) => arm in success));
  const panels = seen.map((comparison, index) => panel(comparison, { suite, arms, isFirst: index === 0 }));
  const width = firstWidth + panelWidth * (panels.length - 1) + 8;
  const circles = suite === "push" ? "; circles: the paper's, on Language Table" : "";
  const title = `${suite}: success after few labelled episodes${circles}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top + panelHeight + 8}" font-family="system-ui, sans-serif">`,
    `<title>${title}. ${machine}</title>`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="8" y="24" font-size="15" font-weight="600" fill="${colours.text}">${title}</text>`,
    sideBySide(panels, top),
    "</svg>",
  ].join("\n");
}
