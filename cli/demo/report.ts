/** @file The demo's report: what went in, what the codes learned, what the policies can do. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { formatDuration } from "#core/progress.ts";
import type { Proportion } from "#core/statistics/proportion.ts";
import { readMetrics } from "#engine/index.ts";
import type { UsageRow } from "#lapa/quantizer/index.ts";
import { readRollout, renderRollout } from "#world/index.ts";
import { lineChart, type Point, successChart, usageChart } from "../report/charts.ts";
import { escapeHtml, figure, page, picture, row, section, type Tile, table, tiles } from "../report/page.ts";
import { type DemoPictures, dataUrl } from "./pictures.ts";
import type { DemoOutcome } from "./pipeline.ts";
import type { DemoSummary } from "./result.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const interval = ({ rate, low, high }: Proportion) => `${percent(rate)} [${percent(low)}, ${percent(high)}]`;
const decibels = (value: number) => `${value.toFixed(2)} dB`;

const armNames: Readonly<Record<string, string>> = {
  lapa: "LAPA",
  scratch: "Scratch",
  random: "Random",
  still: "No motion",
};

function headline(outcome: DemoOutcome, summary: DemoSummary): string {
  const { metrics } = outcome.codes;
  const arm = (name: string) => outcome.rollouts.arms.find((played) => played.arm === name)!.summary.success;
  const all: Tile[] = [
    {
      value: percent(arm("lapa").rate),
      label: `solved after latent pretraining, [${percent(arm("lapa").low)}, ${percent(arm("lapa").high)}]`,
      verdict: arm("lapa").low > arm("scratch").high || outcome.rollouts.paired.pValue < 0.05,
    },
    {
      value: percent(arm("scratch").rate),
      label: `solved from scratch, [${percent(arm("scratch").low)}, ${percent(arm("scratch").high)}]`,
    },
    {
      value: `${metrics.codesUsed} of ${metrics.codebookSize}`,
      label: "codes in use on clips left out",
      verdict: metrics.codesUsed === metrics.codebookSize,
    },
    {
      value: `+${(metrics.psnrHard - metrics.psnrCopyLast).toFixed(2)} dB`,
      label: "hard codes above copying the last frame",
      verdict: metrics.psnrHard > metrics.psnrCopyLast,
    },
    ...(summary.probeR2 === null
      ? []
      : [{ value: summary.probeR2.toFixed(2), label: "R² from code to true motion", verdict: summary.probeR2 >= 0.6 }]),
    { value: formatDuration(summary.seconds), label: "for everything, minutes and seconds" },
  ];
  return tiles(all);
}

const usageOf = (usage: readonly UsageRow[]): string =>
  usage.length === 0
    ? ""
    : figure(
        usageChart(
          usage.flatMap(({ step, shares }) => shares.map((share, code) => ({ step, code: `code ${code}`, share }))),
        ),
        "Share of each code while the quantizer trains. A collapsed codebook would be one colour.",
      );

function codeSection({ codes, usage }: DemoOutcome): string {
  const { metrics, pictures } = codes;
  const numbers = table(
    ["", "all pixels", "moving pixels"],
    [
      ["drawn from the hard code", decibels(metrics.psnrHard), decibels(metrics.psnrHardMoving)],
      ["drawn from a random code", "", decibels(metrics.psnrRandomMoving)],
      ["first frame left as it is", decibels(metrics.psnrCopyLast), decibels(metrics.psnrCopyLastMoving)],
    ],
  );
  return section(
    "Are the codes actions?",
    "Peak signal-to-noise ratio of the second frame on clips that training did not see. The right code must be worth more than a random one: usage and reconstruction alone prove nothing.",
    row(`<div>${numbers}</div>`, usageOf(usage)),
    reconstructionGrid(pictures),
  );
}

function reconstructionGrid({ reconstructions }: DemoPictures): string {
  const line = (title: string, which: "first" | "second" | "drawn") =>
    `<tr><th>${title}</th>${reconstructions.map((each) => `<td>${picture(each[which], 104, title)}</td>`).join("")}</tr>`;
  const codes = `<tr><th>code</th>${reconstructions.map((each) => `<td>${each.codes.join(" ")}</td>`).join("")}</tr>`;
  const rows = [line("frame 1", "first"), line("frame 2", "second"), line("drawn", "drawn"), codes];
  return figure(`<table class="grid">${rows.join("")}</table>`, "Drawn from frame 1 and its hard code alone.");
}

function swapSection({ codes }: DemoOutcome): string {
  const { first, codes: columns, drawn } = codes.pictures.swap;
  const head = `<tr><th>frame 1</th>${columns.map((code) => `<th>${code.join(" ")}</th>`).join("")}</tr>`;
  const rows = first.map(
    (source, index) =>
      `<tr><td>${picture(source, 96, "frame 1")}</td>${drawn[index]!.map((cell) => `<td>${picture(cell, 96, "drawn")}</td>`).join("")}</tr>`,
  );
  return section(
    "What each code does",
    "The most frequent codes applied to first frames of other clips: down a column the same code should do the same thing.",
    `<table class="grid">${head}${rows.join("")}</table>`,
  );
}

function inputSection({ codes, isReal }: DemoOutcome): string {
  const strips = codes.pictures.strips.map(({ caption, frames }) =>
    figure(`<div class="strip">${frames.map((frame) => picture(frame, 112, caption)).join("")}</div>`, caption),
  );
  const left = codes.problems.map(({ message }) => `<li>${escapeHtml(message)}</li>`).join("");
  return section(
    "What goes in",
    `${codes.clips} clips: ${isReal ? "videos of your folder" : "videos of a hand, without any action"}, and the arm's few demonstrations. Frames as the models see them.`,
    ...strips,
    left === "" ? "" : `<p class="quiet">Left out:</p><ul>${left}</ul>`,
  );
}

function lossOf(folder: string, name: string, metric: string): Point[] {
  const path = join(folder, name, "metrics.jsonl");
  if (!existsSync(path)) return [];
  return readMetrics(path).flatMap((line) => {
    const value = line[metric];
    return value === undefined
      ? []
      : [{ x: line.step, y: value, series: armNames[name.replace("policy-", "")] ?? name }];
  });
}

function lossSection({ folder }: DemoOutcome): string {
  const chart = (title: string, yLabel: string, points: Point[]) =>
    points.length === 0 ? "" : figure(lineChart({ points, xLabel: "step", yLabel }), title);
  return section(
    "Losses",
    "Each point is one logged step.",
    row(
      chart("Quantizer: error of drawn pairs against copying", "loss", lossOf(folder, "quantizer", "loss")),
      chart("Latent VLA: cross-entropy of the next latent action", "loss", lossOf(folder, "latent-vla", "loss")),
      chart("Fine-tuning on the demonstrations: cross-entropy of the actions", "loss", [
        ...lossOf(folder, "policy-lapa", "loss"),
        ...lossOf(folder, "policy-scratch", "loss"),
      ]),
    ),
  );
}

function successSection({ rollouts }: DemoOutcome): string {
  const bars = rollouts.arms.map(({ arm, summary: { success } }) => ({ name: armNames[arm] ?? arm, ...success }));
  const tasks = Object.keys(rollouts.arms[0]!.summary.perTask);
  const perTask = table(
    ["task", ...rollouts.arms.map(({ arm }) => armNames[arm] ?? arm)],
    tasks.map((task) => [
      task,
      ...rollouts.arms.map(({ summary }) => {
        const rate = summary.perTask[task];
        return rate === undefined ? "" : `${percent(rate.rate)} of ${rate.count}`;
      }),
    ]),
  );
  const { onlyFirst, onlySecond, pValue } = rollouts.paired;
  return section(
    "What the policies can do",
    `The same ${bars[0]!.count} tasks for every policy; lines are 95 % Wilson intervals. LAPA alone solved ${onlyFirst}, Scratch alone ${onlySecond} (McNemar p = ${pValue < 0.001 ? pValue.toExponential(1) : pValue.toFixed(3)}).`,
    row(figure(successChart(bars), "Episodes solved"), `<div>${perTask}</div>`),
    `<p class="quiet">LAPA ${interval(rollouts.arms[0]!.summary.success)}; Scratch ${interval(rollouts.arms[1]!.summary.success)}.</p>`,
  );
}

const thumbnailSize = 96;
const thumbnails = 7;

async function rolloutStrips(folder: string, arm: string, most: number): Promise<string> {
  const directory = join(folder, "rollouts", arm);
  const files = existsSync(directory) ? readdirSync(directory).sort().slice(0, most) : [];
  const strips = await Promise.all(
    files.map(async (file) => {
      const log = await readRollout(join(directory, file));
      const frames = Array.from({ length: thumbnails }, (_, index) =>
        Math.round((index * (log.frames - 1)) / (thumbnails - 1)),
      );
      const pictures = renderRollout(log, frames, thumbnailSize).map(dataUrl);
      const end = log.success ? "solved" : `failed: ${log.reasons[0] ?? "time is up"}`;
      return figure(
        `<div class="strip">${pictures.map((source) => picture(source, thumbnailSize, log.instance.instruction)).join("")}</div>`,
        `${log.instance.instruction} (${end})`,
      );
    }),
  );
  return `<div><h3>${armNames[arm]}</h3>${strips.join("")}</div>`;
}

/** HTML of the report. */
export async function renderReport(outcome: DemoOutcome, summary: DemoSummary): Promise<string> {
  const times = table(
    ["stage", "seconds"],
    Object.entries(outcome.seconds).map(([stage, seconds]) => [stage, seconds.toFixed(1)]),
  );
  return page(
    "Armature: from videos to a moving arm",
    "<h1>From videos to a moving arm</h1>",
    `<p class="quiet">${escapeHtml(summary.machine)} · ${escapeHtml(summary.date)} · commit ${escapeHtml(summary.commit.slice(0, 12))}</p>`,
    headline(outcome, summary),
    successSection(outcome),
    inputSection(outcome),
    codeSection(outcome),
    swapSection(outcome),
    lossSection(outcome),
    section(
      "Rollouts",
      `The first tasks, as the arm's camera saw them. In 3-D: <code>npx armature viewer ${escapeHtml(outcome.folder)}</code>`,
      row(await rolloutStrips(outcome.folder, "lapa", 4)),
      row(await rolloutStrips(outcome.folder, "scratch", 3)),
    ),
    section("Time", "What each stage took when it was run.", times),
  );
}
