import { describe, expect, it } from "@jest/globals";
import { actionLabels, recordedActionLabels } from "#lapa/finetune/index.ts";
import { smallData } from "../small-data.ts";

const pairs = {
  length: 3,
  clip: Int32Array.of(0, 0, 1),
  first: Int32Array.of(0, 1, 0),
  second: Int32Array.of(2, 3, 2),
};

describe("actionLabels", () => {
  const { data } = smallData();
  const options = { bins: 2, offsetS: 0.2, origin: "a model" };

  it("says the bin of every dimension, by edges of the labelled actions alone", () => {
    const fittedOn = Float32Array.of(-1, 0, 1, 0, -1, 4, 1, 4);
    const labels = actionLabels(data, pairs, Float32Array.of(-9, 3, 0.5, 1, 9, 2), { ...options, fittedOn });
    expect(labels).toMatchObject({ codebookSize: 2, codesPerStep: 2, offsetS: 0.2, source: { hash: "data" } });
    expect([...labels.codes]).toEqual([0, 1, 1, 0, 1, 0]);
    expect([...labels.first]).toEqual([0, 1, 0]);
  });

  it("are other latent actions when who says them or the bins differ", () => {
    const hash = (fittedOn: number[], origin = "a model") =>
      actionLabels(data, pairs, new Float32Array(3), { ...options, fittedOn: Float32Array.from(fittedOn), origin })
        .quantizerHash;
    expect(hash([0, 1])).toBe(hash([0, 1]));
    expect(new Set([hash([0, 1]), hash([0, 2]), hash([0, 1], "another")]).size).toBe(3);
  });

  it("refuses actions that do not fit the pairs", () => {
    expect(() => actionLabels(data, pairs, new Float32Array(4), { ...options, fittedOn: new Float32Array(2) })).toThrow(
      "actions: must be f32[3, A] with bins fitted on f32[M, A], got 4 and 2 values.",
    );
  });
});

describe("recordedActionLabels", () => {
  it("are the bins of what the recorded clips did between the frames", () => {
    const { data, sides } = smallData({ clips: 4, frames: 5 });
    const labels = recordedActionLabels(data, { bins: 4, offsetS: 0.2 });
    // Without a state, how far the commanded position went: nowhere, in clips that stay on one side.
    expect(labels.episodes.length).toBe(sides.length * 3);
    expect(new Set(labels.codes)).toEqual(new Set([0]));
    const plain = { ...data, recorded: data.recorded.map((clip, index) => (index < 2 ? clip : undefined)) };
    expect(new Set(recordedActionLabels(plain, { bins: 4, offsetS: 0.2 }).episodes)).toEqual(new Set([0, 1]));
  });
});
