/** @file The page of a quantizer's examination: verdicts first, then what each was read from. */
import type { Image } from "#core/contracts/image.ts";
import { encodePng } from "#core/image/png.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import {
  drawReconstructions,
  drawSwapGrid,
  type Examination,
  type Frames,
  type Quantizer,
  type QuantizerRunner,
  type Verdict,
} from "#lapa/quantizer/index.ts";
import { escapeHtml, figure, page, picture, row, section } from "../report/page.ts";
import {
  distractorChart,
  informationChart,
  meanMotionChart,
  pictureChart,
  probeChart,
  reversalChart,
  transferChart,
  usageChart,
} from "./charts.ts";

export type Shown = {
  readonly quantizer: Quantizer;
  readonly runner: QuantizerRunner;
  readonly frames: Frames;
  readonly pairs: FramePairs;
};

const marks = { pass: "#16794c", fail: "#b3261e", "not measured": "#5d6875" } as const;

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(
    ({ id, name, verdict, measured, gate }) =>
      `<tr><td>${escapeHtml(id)}</td><td style="color:${marks[verdict]};font-weight:600;white-space:nowrap">${verdict}</td><td>${escapeHtml(name)}<br><span class="quiet">must be: ${escapeHtml(gate)}</span></td><td>${escapeHtml(measured)}</td></tr>`,
  );
  return `<table><tr><th></th><th></th><th>what</th><th>measured</th></tr>${rows.join("")}</table>`;
}

const shown = (image: Image, size: number, alt: string) =>
  picture(`data:image/png;base64,${Buffer.from(encodePng(image)).toString("base64")}`, size, alt);

async function reconstructions({ runner, frames, pairs }: Shown): Promise<string> {
  const drawn = await drawReconstructions(runner, frames, pairs, 7);
  const line = (title: string, cells: readonly string[]) =>
    `<tr><th>${title}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  const pictures = (title: string, which: "first" | "second" | "drawn") =>
    line(title, drawn.map((each) => shown(each[which], 104, title))); // biome-ignore format: one row of the table
  const rows = [
    pictures("frame 1", "first"),
    pictures("frame 2", "second"),
    pictures("drawn", "drawn"),
    line("code", drawn.map(({ codes }) => codes.join(" "))), // biome-ignore format: one row of the table
  ];
  return figure(`<table class="grid">${rows.join("")}</table>`, "Drawn from frame 1 and its hard code alone.");
}

async function swaps({ runner, frames, pairs }: Shown): Promise<string> {
  const { first, codes, drawn } = await drawSwapGrid(runner, frames, pairs, { rows: 4, columns: 8 });
  const head = `<tr><th>frame 1</th>${codes.map((code) => `<th>${code.join(" ")}</th>`).join("")}</tr>`;
  const rows = first.map(
    (source, index) =>
      `<tr><td>${shown(source, 96, "frame 1")}</td>${drawn[index]!.map((cell) => `<td>${shown(cell, 96, "drawn")}</td>`).join("")}</tr>`,
  );
  return figure(
    `<table class="grid">${head}${rows.join("")}</table>`,
    "Down a column the same code should do the same.",
  );
}

function motionSections({ probes, information, distractors, transfer }: Examination): string[] {
  if (!(probes && information && distractors)) return [];
  return [
    section(
      "Can the motion be read off the codes? (m5)",
      "Blue: codes and latents. Grey: controls that know nothing of codes. Yellow: the same encoder, told the true actions.",
      figure(probeChart(probes), "Share of the true motion's variance explained on clips that training did not see."),
    ),
    section(
      "What does each code mean? (m6)",
      `Mutual information with the kind of motion (nine clusters), corrected for bias. Arrows: mean true motion under each code.`,
      row(
        figure(informationChart(information), "Bits per position."),
        figure(meanMotionChart(information), "Codes as motions."),
      ),
    ),
    ...(transfer
      ? [
          section(
            "Does a code carry over? (m7)",
            "An inverse model that never saw the codes judges what moved in the drawn picture.",
            figure(transferChart(transfer), "95 % intervals over clips."),
          ),
        ]
      : []),
    section(
      "Does it hold when something else moves? (m8)",
      "Lines are fitted again on disturbed clips: a striped square that wanders by itself, and a camera that shakes.",
      figure(distractorChart(distractors, probes[0]!.r2), "R² of a line from codes to the true motion."),
    ),
  ];
}

/** HTML of the report. */
export async function renderEvaluation(
  examination: Examination,
  verdicts: readonly Verdict[],
  subject: Shown,
): Promise<string> {
  const { pairs, antisymmetry } = examination;
  const failed = verdicts.filter(({ verdict }) => verdict === "fail").length;
  const open = verdicts.filter(({ verdict }) => verdict === "not measured").length;
  const { model } = subject.quantizer.config;
  return page(
    "Are the codes actions?",
    "<h1>Are the codes actions?</h1>",
    `<p class="quiet">${escapeHtml(subject.quantizer.path)} · ${model.codesPerStep} codes of ${examination.codebookSize} · ${pairs.heldOut} pairs of ${pairs.clips} clips that training did not see</p>`,
    `<p>${verdicts.length - failed - open} of ${verdicts.length} gates passed, ${failed} failed, ${open} not measured.</p>`,
    verdictTable(verdicts),
    section(
      "How are the codes used? (m1)",
      "Per cent of the pairs in which a code stands at a position.",
      figure(usageChart(examination), "A collapsed position has one dark cell."),
    ),
    section(
      "What are the drawn pictures worth? (m2, m3, m4)",
      "Differences in peak signal-to-noise ratio. Usage and reconstruction alone prove nothing: the right code must be worth more than a random one.",
      figure(pictureChart(examination), "95 % intervals over clips."),
      await reconstructions(subject),
      await swaps(subject),
    ),
    ...motionSections(examination),
    antisymmetry.points
      ? section(
          "Is backwards the opposite? (m9)",
          "First dimension of the motion read off the codes of each pair and of the pair played backwards.",
          figure(reversalChart(antisymmetry.points), "Perfect opposites lie on the line."),
        )
      : "",
  );
}
