/** @file What an examination must show. Gates m1, m2 and m5 are those that users of LAPA ask for; the others' limits are ours. */
import type { Examination } from "./examine.ts";
import { probeNames } from "./probes.ts";

export type Verdict = {
  readonly id: string;
  readonly name: string;
  readonly verdict: "pass" | "fail" | "not measured";
  /** What was measured, or why nothing was. */
  readonly measured: string;
  readonly gate: string;
};

/** Limits; shares of 1, dB, cosines and ratios. */
export const gates = {
  perplexityShare: 0.6,
  largestShare: 0.6,
  trainGapDb: 1,
  controllabilityDb: 0.5,
  probeMargin: 0.05,
  informationShare: 0.1,
  swapCosine: 0.5,
  distractorRatio: 2,
  reversalCosine: 0.8,
  stillShare: 0.99,
} as const;

const fixed = (value: number, digits = 2) => value.toFixed(digits);
const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(2)}`;
const decide = (passes: boolean) => (passes ? "pass" : "fail");
const needsTruth = "no true motion is known: pass --truth, or data sets with recorded actions";

type Row = readonly [id: string, name: string, gate: string, outcome: readonly [boolean, string] | string];

function usageRow({ usage, codebookSize }: Examination): Row {
  const least = Math.min(...usage.positions.map(({ perplexity }) => perplexity));
  const largest = Math.max(...usage.positions.flatMap(({ shares }) => shares));
  const passes =
    usage.codesUsed === codebookSize && least >= gates.perplexityShare * codebookSize && largest <= gates.largestShare;
  return [
    "m1",
    "usage of the codes",
    `all ${codebookSize} used, perplexity at every position at least ${fixed(gates.perplexityShare * codebookSize, 1)}, no code above ${100 * gates.largestShare} % of a position`,
    [
      passes,
      `${usage.codesUsed} used; perplexity ${usage.positions.map(({ perplexity }) => fixed(perplexity, 1)).join(", ")}; largest share ${fixed(100 * largest, 0)} %; ${usage.jointUsed} whole codes, perplexity ${fixed(usage.jointPerplexity, 0)}`,
    ],
  ];
}

function pictureRows({ pictures }: Examination): Row[] {
  const { aboveCopy, aboveCopyMoving, trainedAboveHardMoving, rightAboveRandomMoving, rightAboveRandom } = pictures;
  const interval = ({ low, high }: { low: number; high: number }) => `[${fixed(low)}, ${fixed(high)}]`;
  return [
    [
      ...([
        "m2",
        "hard codes above copying the first frame",
        "above 0 dB, over all pixels and over moving ones",
      ] as const),
      [
        aboveCopy.value > 0 && aboveCopyMoving.value > 0,
        `${signed(aboveCopy.value)} dB ${interval(aboveCopy)}; moving ${signed(aboveCopyMoving.value)} dB ${interval(aboveCopyMoving)}`,
      ],
    ],
    [
      ...(["m3", "what training sees above hard codes", `at most ${gates.trainGapDb} dB on moving pixels`] as const),
      [
        Math.abs(trainedAboveHardMoving.value) <= gates.trainGapDb,
        `${signed(trainedAboveHardMoving.value)} dB ${interval(trainedAboveHardMoving)}`,
      ],
    ],
    [
      ...(["m4", "right above random code"] as const),
      `95 % interval above ${gates.controllabilityDb} dB on moving pixels`,
      [
        rightAboveRandomMoving.low > gates.controllabilityDb,
        `${signed(rightAboveRandomMoving.value)} dB ${interval(rightAboveRandomMoving)}; all pixels ${signed(rightAboveRandom.value)} dB`,
      ],
    ],
  ];
}

function motionRows({ probes, information, distractors, transfer }: Examination): Row[] {
  const r2 = (name: string) => probes?.find((row) => row.name === name)?.r2 ?? Number.NaN;
  const [codes, mean, untrained] = [probeNames.codesLine, probeNames.mean, probeNames.untrained].map(r2);
  const best = information && [...information.positions].sort((a, b) => b.bits - a.bits)[0]!;
  const share = best ? (best.bits - best.chanceBits) / best.entropyBits : Number.NaN;
  const worst = distractors && Math.max(...distractors.map(({ errorRatio }) => errorRatio));
  return [
    [
      ...(["m5", "true motion read off the codes"] as const),
      `R² ${gates.probeMargin} above the mean motion and the untrained encoder`,
      probes
        ? [
            codes! > Math.max(mean!, untrained!) + gates.probeMargin,
            probes.map((row) => `${row.name} ${fixed(row.r2)}`).join("; "),
          ]
        : needsTruth,
    ],
    [
      ...(["m6", "bits about the kind of motion"] as const),
      `best position above all shuffles and ${100 * gates.informationShare} % of the motion's entropy`,
      best
        ? [
            best.bits > best.chanceMostBits && share >= gates.informationShare,
            `${information.positions.map(({ bits }) => fixed(bits)).join(", ")} bits; chance ${fixed(best.chanceBits)}; best tells ${fixed(100 * share, 0)} % of ${fixed(best.entropyBits)} bits`,
          ]
        : needsTruth,
    ],
    [
      ...(["m7", "codes of one clip move another"] as const),
      `cosine with the true motion at least ${gates.swapCosine}, above random codes' interval`,
      transfer
        ? [
            transfer.swapped.value >= gates.swapCosine && transfer.swapped.low > transfer.random.high,
            `${fixed(transfer.swapped.value)} [${fixed(transfer.swapped.low)}, ${fixed(transfer.swapped.high)}]; own picture ${fixed(transfer.own.value)}; random code ${fixed(transfer.random.value)}`,
          ]
        : probes
          ? "no inverse model judges the pictures: pass --inverseModelSteps above 0"
          : needsTruth,
    ],
    [
      ...(["m8", "error with distractors against without"] as const),
      `at most ${gates.distractorRatio} times`,
      distractors
        ? [
            worst! <= gates.distractorRatio,
            distractors.map((row) => `${row.name}: ${fixed(row.errorRatio)} times, R² ${fixed(row.r2)}`).join("; "),
          ]
        : needsTruth,
    ],
  ];
}

function pairRows({ cuts, antisymmetry }: Examination): Row[] {
  const { motion, codes, stillShare, stillCodes } = antisymmetry;
  return [
    [
      ...(["m7 cuts", "scene cuts are drawn worse than filmed pairs", "PSNR below"] as const),
      cuts
        ? [cuts.psnrCut < cuts.psnrSmooth, `${fixed(cuts.psnrCut)} dB against ${fixed(cuts.psnrSmooth)} dB`]
        : "only one clip was kept out: raise --data.holdOut or give more videos",
    ],
    [
      ...(["m9", "a pair played backwards is the opposite"] as const),
      `cosine at least ${gates.reversalCosine}`,
      [
        (motion ?? codes) >= gates.reversalCosine,
        `code vectors ${fixed(codes)}${motion === undefined ? "" : `; motion read off them ${fixed(motion)}`}`,
      ],
    ],
    [
      ...(["m9 still", "no motion is one code", `${100 * gates.stillShare} % of pairs at least`] as const),
      [stillShare >= gates.stillShare, `${fixed(100 * stillShare, 1)} % share one of ${stillCodes} codes`],
    ],
  ];
}

/** Holds an examination against the gates, m1 to m9. */
export function judgeExamination(examination: Examination): Verdict[] {
  const rows = [
    usageRow(examination),
    ...pictureRows(examination),
    ...motionRows(examination),
    ...pairRows(examination),
  ];
  const sorted = rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([id, name, gate, outcome]) =>
    typeof outcome === "string"
      ? { id, name, gate, verdict: "not measured", measured: outcome }
      : { id, name, gate, verdict: decide(outcome[0]), measured: outcome[1] },
  );
}
