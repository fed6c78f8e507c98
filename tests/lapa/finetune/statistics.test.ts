import { describe, expect, it } from "@jest/globals";
import { actionHeadConfig } from "#lapa/finetune/config.ts";
import { cutDemonstrations } from "#lapa/finetune/demonstrations.ts";
import { fitActionStatistics, learnedDimensions, normaliseActions } from "#lapa/finetune/statistics.ts";
import { smallLabels } from "./small-data.ts";

const fit = (rows: number[][], { ignore = [] as string[], ...head } = {}) =>
  fitActionStatistics(Float32Array.from(rows.flat()), ["a", "b"], {
    head: actionHeadConfig.parse({ bins: 4, ...head }),
    ignore,
  });
const rows = Array.from({ length: 9 }, (_, index) => [index ** 2, index % 2]);

describe("fitActionStatistics", () => {
  it("decodes to the mean of a bin, or to the middle of its edges as published; a gripper always exactly", () => {
    const [mean, middle] = [fit(rows), fit(rows, { binValue: "middle" } as never)];
    expect(mean.tokenizer.dimensions[0]!.centres).toBeAllClose([5 / 3, 12.5, 30.5, 56.5]);
    // pandas.qcut(x ** 2, 4): edges 0, 4, 16, 36, 64
    expect(middle.tokenizer.dimensions[0]!.centres).toEqual([2, 10, 26, 50]);
    expect(middle.tokenizer.dimensions[1]!.centres).toEqual([0, 1]);
  });

  it("gives a constant or ignored dimension one bin, scale 0 and no part in the loss", () => {
    const { tokenizer, normalisation } = fit(rows, { ignore: ["a"] });
    expect(learnedDimensions(tokenizer)).toEqual([false, true]);
    expect(normalisation).toEqual({ offset: [16, 0.5], scale: [0, 0.5] });
    const frames = { size: 4, clips: [], read: () => undefined };
    const { mask, values } = cutDemonstrations(frames, [], [Float32Array.of(3, 1, 9, 0)], tokenizer, 1, {
      normalisation,
    });
    expect([...mask]).toEqual([0, 1, 0, 1]);
    expect([...values]).toEqual([0, 1, 0, -1]);
  });

  it("lets one jerk lie outside instead of squeezing everything else", () => {
    const jerky = [...Array.from({ length: 200 }, (_, index) => [index / 199, 0]), [1000, 1]];
    const { normalisation } = fit(jerky, { bins: 8 } as never);
    expect(normalisation.scale[0]!).toBeLessThan(0.52);
    expect(normaliseActions(normalisation, Float32Array.of(1000, 0))[0]!).toBeGreaterThan(100);
  });

  it("refuses unknown names and actions that never change", () => {
    expect(() => fit(rows, { ignore: ["c"] })).toThrow('names of action dimensions (a, b), got "c"');
    expect(() =>
      fit([
        [1, 2],
        [1, 2],
      ]),
    ).toThrow("at least one action dimension must change");
  });
});

describe("latents of demonstrations", () => {
  it("are those that follow each frame and those that led to it", () => {
    const { tokenizer } = fit(rows);
    const frames = { size: 4, clips: [], read: () => undefined };
    const labels = smallLabels([[1, 0, 1, 0]]);
    const { latents } = cutDemonstrations(frames, [], [new Float32Array(8)], tokenizer, 1, { labels });
    expect([...latents!.codes]).toEqual([1, 2, 0, 2, 0, 0, 0, 0]);
    expect([...latents!.known]).toEqual([1, 1, 0, 0]);
    // 4, the codebook's size: none
    expect([...latents!.previous]).toEqual([4, 4, 4, 4, 1, 2, 0, 2]);
  });
});
