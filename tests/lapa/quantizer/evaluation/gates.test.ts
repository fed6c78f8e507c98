import { describe, expect, it } from "@jest/globals";
import type { Examination } from "#lapa/quantizer/evaluation/examine.ts";
import { judgeExamination } from "#lapa/quantizer/evaluation/gates.ts";
import { probeNames } from "#lapa/quantizer/evaluation/probes.ts";

const estimate = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
const position = (shares: number[]) => ({
  shares,
  perplexity: shares.filter((share) => share > 0).length,
  entropyNats: 1,
});
const information = (bits: number) => ({ bits, chanceBits: 0.01, chanceMostBits: 0.05, entropyBits: 3 });
const probes = (codes: number, untrained: number) => [
  { name: probeNames.codesLine, kind: "codes" as const, r2: codes },
  { name: probeNames.mean, kind: "control" as const, r2: -0.01 },
  { name: probeNames.untrained, kind: "control" as const, r2: untrained },
];

const good: Examination = {
  pairs: { train: 10, heldOut: 10, clips: 2 },
  codebookSize: 2,
  codesPerStep: 1,
  usage: { positions: [position([0.5, 0.5])], jointUsed: 2, jointPerplexity: 2, codesUsed: 2 },
  pictures: {
    aboveCopy: estimate(1),
    aboveCopyMoving: estimate(1),
    trainedAboveHard: estimate(0),
    trainedAboveHardMoving: estimate(0),
    rightAboveRandom: estimate(1),
    rightAboveRandomMoving: estimate(1),
  },
  cuts: { psnrSmooth: 20, psnrCut: 10 },
  antisymmetry: { codes: 0.9, motion: 0.9, points: [], stillShare: 1, stillCodes: 1 },
  probes: probes(0.8, 0.2),
  information: { bins: 9, positions: [information(1)], meanMotion: [] },
  distractors: [{ name: "a shaking camera", r2: 0.7, errorRatio: 1.5 }],
  transfer: { swapped: estimate(0.7), own: estimate(0.9), random: estimate(0.1) },
};
const verdictsOf = (changes: Partial<Examination>) =>
  Object.fromEntries(judgeExamination({ ...good, ...changes }).map(({ id, verdict }) => [id, verdict]));
const pictures = (changes: Partial<Examination["pictures"]>) => ({ pictures: { ...good.pictures, ...changes } });

describe("judgeExamination", () => {
  it("passes what passes everything, m1 to m9 in order", () => {
    const verdicts = judgeExamination(good);
    expect(verdicts.map(({ id }) => id)).toEqual([
      ...["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m7 cuts", "m8", "m9", "m9 still"],
    ]);
    expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(["pass"]));
  });

  it.each<[string, string, Partial<Examination>]>([
    ["m1", "a code is never used", { usage: { ...good.usage, codesUsed: 1 } }],
    ["m1", "one code stands in two of three pairs", { usage: { ...good.usage, positions: [position([0.67, 0.33])] } }],
    [
      "m1",
      "one position of two says nothing",
      { usage: { ...good.usage, positions: [position([0.5, 0.5]), position([1, 0])] } },
    ],
    ["m2", "copying is better where something moves", pictures({ aboveCopyMoving: estimate(-0.2) })],
    ["m3", "training sees more than codes tell", pictures({ trainedAboveHardMoving: estimate(1.2) })],
    ["m4", "any code will do", pictures({ rightAboveRandomMoving: estimate(0.55) })],
    ["m5", "the untrained encoder tells as much", { probes: probes(0.5, 0.48) }],
    ["m6", "shuffled codes tell as much", { information: { ...good.information!, positions: [information(0.04)] } }],
    ["m7", "pictures move otherwise", { transfer: { ...good.transfer!, swapped: estimate(0.3) } }],
    ["m7", "any code moves as well", { transfer: { ...good.transfer!, random: estimate(0.65) } }],
    ["m7 cuts", "anything is drawn, action or not", { cuts: { psnrSmooth: 20, psnrCut: 21 } }],
    [
      "m8",
      "a shaking camera is taken for an action",
      { distractors: [{ name: "a shaking camera", r2: 0, errorRatio: 5 }] },
    ],
    ["m9", "backwards is not the opposite", { antisymmetry: { ...good.antisymmetry, motion: 0.1 } }],
    [
      "m9 still",
      "no motion has many names",
      { antisymmetry: { ...good.antisymmetry, stillShare: 0.4, stillCodes: 9 } },
    ],
  ])("fails %s alone when %s", (id, _, changes) => {
    const failed = Object.entries(verdictsOf(changes)).filter(([, verdict]) => verdict !== "pass");
    expect(failed).toEqual([[id, "fail"]]);
  });

  it("says what was not measured and what would help", () => {
    const unknown = { probes: null, information: null, distractors: null, transfer: null };
    const { points: _, motion: __, ...blind } = good.antisymmetry;
    const verdicts = judgeExamination({ ...good, ...unknown, antisymmetry: blind });
    const open = verdicts.filter(({ verdict }) => verdict === "not measured");
    expect(open.map(({ id }) => id)).toEqual(["m5", "m6", "m7", "m8"]);
    for (const { measured } of open) expect(measured).toContain("pass --truth");
    expect(judgeExamination({ ...good, transfer: null }).find(({ id }) => id === "m7")!.measured).toContain(
      "--inverseModelSteps",
    );
  });
});
