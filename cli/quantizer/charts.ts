/** @file Plots of a quantizer's examination. */
import * as Plot from "@observablehq/plot";
import type { Estimate, Examination } from "#lapa/quantizer/index.ts";
import { drawChart } from "../report/charts.ts";

type Bar = {
  readonly name: string;
  readonly value: number;
  readonly kind: string;
  readonly low?: number;
  readonly high?: number;
};

const colours = { codes: "#4269d0", control: "#a3acbd", bound: "#efb118" } as const;

/** Bars with their intervals where they have one; what is below the axis shows to the left of it. */
function bars(rows: readonly Bar[], { label, marginLeft = 290 }: { label: string; marginLeft?: number }): string {
  // Scores far below zero would squeeze everything else.
  const shown = rows.map((row) => ({ ...row, end: Math.max(row.value, -0.5), text: row.value.toFixed(2) }));
  return drawChart({
    ...{ width: 560, height: 62 + 28 * rows.length, marginLeft, marginRight: 46, marginBottom: 40 },
    x: { label, grid: true, nice: true },
    y: { label: null, domain: rows.map(({ name }) => name) },
    color: { domain: Object.keys(colours), range: Object.values(colours) },
    marks: [
      Plot.barX(shown, { y: "name", x: "end", fill: "kind", insetTop: 4, insetBottom: 4 }),
      Plot.ruleX([0], { stroke: "#1b2129" }),
      Plot.ruleY(
        rows.filter(({ low }) => low !== undefined),
        { y: "name", x1: "low", x2: "high", strokeWidth: 2, stroke: "#222" },
      ),
      Plot.text(shown, {
        ...{ y: "name", x: (row: Bar & { end: number }) => Math.max(row.end, row.high ?? row.end, 0) },
        ...{ text: "text", dx: 6, textAnchor: "start" },
      }),
    ],
  });
}

/** m1: share of each code at each position. */
export function usageChart({ usage }: Examination): string {
  const cells = usage.positions.flatMap(({ shares }, position) =>
    shares.map((share, code) => ({ code, position: `position ${position + 1}`, share: 100 * share })),
  );
  const most = Math.max(...cells.map(({ share }) => share));
  const few = usage.positions[0]!.shares.length <= 32;
  return drawChart({
    ...{ width: 560, height: 70 + 34 * usage.positions.length, marginLeft: 80, marginBottom: 40, padding: 0.06 },
    x: { label: "code", type: "band", ...(few ? {} : { ticks: [] }) },
    y: { label: null },
    color: { scheme: "blues", domain: [0, most] },
    marks: [
      Plot.cell(cells, { x: "code", y: "position", fill: "share" }),
      ...(few
        ? [
            Plot.text(cells, {
              ...{ x: "code", y: "position", text: (cell: { share: number }) => cell.share.toFixed(0) },
              fill: (cell: { share: number }) => (cell.share > 0.6 * most ? "white" : "#1b2129"),
            }),
          ]
        : []),
    ],
  });
}

/** m2 to m4: differences in dB with their intervals. */
export function pictureChart({ pictures }: Examination): string {
  const bar = (name: string, kind: string, { value, low, high }: Estimate): Bar => ({ name, kind, value, low, high });
  return bars(
    [
      bar("m2 hard code above copying", "codes", pictures.aboveCopy),
      bar("m2 the same, moving pixels", "codes", pictures.aboveCopyMoving),
      bar("m3 training above hard code", "control", pictures.trainedAboveHard),
      bar("m3 the same, moving pixels", "control", pictures.trainedAboveHardMoving),
      bar("m4 right above random code", "codes", pictures.rightAboveRandom),
      bar("m4 the same, moving pixels", "codes", pictures.rightAboveRandomMoving),
    ],
    { label: "dB", marginLeft: 190 },
  );
}

/** m5: share of variance explained. */
export const probeChart = (rows: NonNullable<Examination["probes"]>): string =>
  bars(
    rows.map(({ name, kind, r2 }) => ({ name, kind, value: r2 })),
    { label: "R² on clips left out" },
  );

/** m6: bits per position beside what chance gives. */
export function informationChart({ positions }: NonNullable<Examination["information"]>): string {
  return bars(
    positions.flatMap(({ bits, chanceBits }, position) => [
      { name: `position ${position + 1}`, kind: "codes", value: bits },
      { name: `position ${position + 1}, shuffled`, kind: "control", value: Math.max(0, chanceBits) },
    ]),
    { label: "bits about the kind of motion", marginLeft: 140 },
  );
}

/** m6: where each code moves on average, in standard deviations of the first two dimensions. */
export function meanMotionChart({ meanMotion }: NonNullable<Examination["information"]>): string {
  const arrows = meanMotion.flatMap((codes, position) =>
    codes.flatMap((motion, code) =>
      motion.length === 0
        ? []
        : [{ position: `position ${position + 1}`, code: String(code), x: motion[0]!, y: motion[1] ?? 0 }],
    ),
  );
  return drawChart({
    ...{ width: 160 + 150 * meanMotion.length, height: 240, marginLeft: 44, marginTop: 34, marginBottom: 40 },
    x: { label: "first dimension", ticks: 3, grid: true },
    y: { label: "second", ticks: 4, grid: true },
    fx: { label: null },
    marks: [
      Plot.frame({ stroke: "#e2e6eb" }),
      Plot.arrow(arrows, { fx: "position", x1: 0, y1: 0, x2: "x", y2: "y", stroke: "#4269d0", strokeWidth: 1.4 }),
      Plot.text(arrows, { fx: "position", x: "x", y: "y", text: "code", dx: 6, dy: -6 }),
    ],
  });
}

/** m7: cosines between what is seen in drawn pictures and the motion that their code was taken from. */
export function transferChart({ swapped, own, random }: NonNullable<Examination["transfer"]>): string {
  const bar = (name: string, kind: string, { value, low, high }: Estimate): Bar => ({ name, kind, value, low, high });
  return bars(
    [
      bar("code in its own picture", "bound", own),
      bar("code in another clip's picture", "codes", swapped),
      bar("a code that fits neither", "control", random),
    ],
    { label: "cosine with the true motion", marginLeft: 190 },
  );
}

/** m8: R² without and with distractors. */
export const distractorChart = (rows: NonNullable<Examination["distractors"]>, cleanR2: number): string =>
  bars(
    [
      { name: "as filmed", kind: "control", value: cleanR2 },
      ...rows.map(({ name, r2 }) => ({ name, kind: "codes", value: r2 })),
    ],
    { label: "R² on clips left out", marginLeft: 190 },
  );

/** m9: motion read off the codes, forwards and backwards; on the falling line where each is minus the other. */
export function reversalChart(points: NonNullable<Examination["antisymmetry"]["points"]>): string {
  const most = Math.max(...points.flatMap(({ forwards, backwards }) => [Math.abs(forwards), Math.abs(backwards)]));
  return drawChart({
    ...{ width: 300, height: 290, marginLeft: 44, marginBottom: 40 },
    x: { label: "read forwards", domain: [-most, most] },
    y: { label: "read backwards", domain: [-most, most] },
    marks: [
      Plot.link([0], { x1: -most, y1: most, x2: most, y2: -most, stroke: "#a3acbd" }),
      Plot.dot(points, { x: "forwards", y: "backwards", r: 2, fill: "#4269d0", fillOpacity: 0.4 }),
    ],
  });
}
