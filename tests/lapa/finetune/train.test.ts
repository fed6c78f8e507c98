import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { createExecutor, type Executor } from "#engine/index.ts";
import { finetuneConfig } from "#lapa/finetune/config.ts";
import { createPolicy, evaluateActions, finetune, openPolicyModel } from "#lapa/finetune/index.ts";
import {
  backboneConfig,
  initBackbone,
  latentVlaTrainConfig,
  openBackbone,
  trainLatentVla,
} from "#lapa/latent-vla/index.ts";
import { smallData, smallLabels, smallModel } from "./small-data.ts";

let executor: Executor;
let folder: string;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "armature-finetune-"));
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true });
});

const settings = (name: string) => ({ executor, folder: join(folder, name), command: "test" });
const configOf = (given: object = {}, head: object = {}) =>
  finetuneConfig.parse({
    ...{ model: smallModel, steps: 120, batch: 8, learningRate: 5e-3, warmupSteps: 5, weightDecay: 0 },
    ...{ shiftPixels: 0, augment: 0, head: { chunkLength: 2, bins: 8, smoothing: 0, ...head }, ...given },
  });

/** What the policy does on the first frame of a clip. */
async function act(name: string, { data, sides }: ReturnType<typeof smallData>) {
  const policy = createPolicy(await openPolicyModel(join(folder, name)), executor);
  const picture = (clip: number) => {
    const pixels = new Uint8Array(16 * 16 * 3);
    data.frames.read(clip, 0, pixels, 0);
    return { data: pixels, height: 16, width: 16 };
  };
  const chunks = [];
  for (const [clip] of sides.entries()) {
    policy.reset();
    const observation = { images: { front: picture(clip) }, instruction: "push the block", stampNs: 0n };
    chunks.push(await policy.infer(observation));
  }
  return { chunks, policy };
}

describe("finetune", () => {
  const given = smallData();
  const wanted = given.sides.map(([side]) => 2 * side! - 1);

  it.each([
    ["bins at once", {}, {}],
    ["bins one after another", {}, { order: "autoregressive", decoding: "argmax" }],
    ["a flow head", { steps: 400 }, { kind: "flow" }],
  ])("learns what follows with %s, and answers a constant dimension exactly", async (name, rest, head) => {
    const { metrics } = await finetune(given.data, configOf(rest, head), settings(name));
    expect(metrics["eval/actionError"]).toBeLessThan(0.2);
    const { chunks } = await act(name, given);
    expect(chunks.map(({ actions }) => Math.sign(actions[0]!))).toEqual(wanted);
    for (const [clip, { actions }] of chunks.entries()) {
      expect(Math.abs(actions[0]! - wanted[clip]!)).toBeLessThan(0.35);
      expect([actions[1], actions[3]]).toBeAllClose([0.25, 0.25]);
    }
  });

  it("is measured open loop, per dimension in raw units, and only on actions of its own kind", async () => {
    const model = await openPolicyModel(join(folder, "bins at once"));
    const errors = await evaluateActions(model, given.data, { executor, heldOut: true, batch: 5 });
    expect(errors).toMatchObject({ episodes: 1, frames: 8 });
    expect(Object.keys(errors.rawErrors)).toEqual(["joint 0"]);
    // Actions are -1 and 1: half of the span is 1.
    expect(errors.rawErrors["joint 0"]).toBeCloseTo(errors.actionError, 6);
    expect(errors.actionError).toBeLessThan(0.2);
    const other = smallData({ dimensions: 3 }).data;
    await expect(evaluateActions(model, other, { executor, heldOut: false })).rejects.toThrow("of the same robot");
    const none = { ...given.data, heldOut: given.data.heldOut.map(() => false) };
    await expect(evaluateActions(model, none, { executor, heldOut: true })).rejects.toThrow("got none");
  });

  it("leaves the backbone alone with the recipe head, trains it gently after it with head-then-full", async () => {
    const pretrained = {
      ...{ id: "b", vocabulary: ["<pad>", "<unknown>", "block", "push", "the"], latent: undefined },
      config: backboneConfig.parse({ ...smallModel, vocabularySize: 5 }),
    };
    const trunk = initBackbone(createRng("trunk"), pretrained.config);
    const weights = async (recipe: string) => {
      const config = configOf({ recipe, steps: 6, batch: 8 });
      await finetune(given.data, config, settings(recipe), { pretrained: { ...pretrained, trunk } });
      const { parameters } = await openPolicyModel(join(folder, recipe));
      return parameters.trunk.imagePosition!.data;
    };
    expect(await weights("head")).toEqual(trunk.imagePosition!.data);
    expect(await weights("head-then-full")).not.toEqual(trunk.imagePosition!.data);
    expect(existsSync(join(folder, "head-then-full", "stage-0", "checkpoints"))).toBe(true);
  });

  it("keeps the latent loss and hears the latent action before", async () => {
    const labels = smallLabels(given.sides);
    const latentVla = latentVlaTrainConfig.parse({
      ...{ model: { ...smallModel, latentDecoding: "autoregressive" }, steps: 30, batch: 8, learningRate: 5e-3 },
      ...{ warmupSteps: 2, shiftPixels: 0, augment: 0 },
    });
    await trainLatentVla(given.data, labels, latentVla, settings("latent"));
    const pretrained = await openBackbone(join(folder, "latent"));
    expect(pretrained.latentOrigin).toEqual({ quantizerHash: "quantizer", offsetS: 0.2 });
    const config = configOf({ latentLoss: 0.5, previousLatent: true, recipe: "head-then-full" });
    const { metrics } = await finetune(given.data, config, settings("kept"), { pretrained, labels });
    expect(metrics.latentLoss).toBeLessThan(0.2);
    const { policy } = await act("kept", given);
    const observation = { images: {}, instruction: "", stampNs: 0n };
    await expect(policy.inferBatch([observation, observation])).rejects.toThrow("one episode at a time");
  });

  it.each([
    [{ source: { path: "others", hash: "other" } }, "were made from other videos"],
    [{ quantizerHash: "another" }, "must be of quantizer quantizer"],
    [{ offsetS: 0.4 }, "must look 0.2 s ahead"],
    [{ codes: new Int32Array(3) }, "must hold 2 codes per pair"],
    [{ first: new Int32Array(36).fill(99) }, "lies outside of the videos"],
  ])("refuses labels that do not belong: %j", async (change, message) => {
    const labels = smallLabels(given.sides, change as never);
    const origin = { quantizerHash: "quantizer", offsetS: 0.2 };
    const pretrained = { id: "", config: {}, trunk: {}, vocabulary: [], latentOrigin: origin } as never;
    const run = finetune(given.data, configOf({ latentLoss: 1 }), settings("labels"), { pretrained, labels });
    await expect(run).rejects.toThrow(message);
  });

  it("refuses a latent loss without labels, too few demonstrations and long instructions", async () => {
    await expect(finetune(given.data, configOf({ latentLoss: 1 }), settings("a"))).rejects.toThrow("need the latent");
    await expect(finetune(given.data, configOf({ previousLatent: true }), settings("a"))).rejects.toThrow(
      "must be above 0 with --previousLatent",
    );
    await expect(finetune(given.data, configOf({ batch: 41 }), settings("b"))).rejects.toThrow(
      "at least one batch of 41 frames, got 40",
    );
    const { data } = smallData({ caption: "one two three four five" });
    await expect(finetune(data, configOf(), settings("c"))).rejects.toThrow("must have at most 4 words, got 5");
  });

  it("refuses demonstrations of two different arms together", async () => {
    const other = smallData({ dimensions: 2 });
    const recorded = [...given.data.recorded.slice(0, 3), ...other.data.recorded.slice(3)].map((clip, index) =>
      index < 3 ? clip : { ...clip!, dataset: { ...clip!.dataset, path: "other", fps: 30 } },
    );
    await expect(finetune({ ...given.data, recorded }, configOf(), settings("d"))).rejects.toThrow(
      "one action space and rate",
    );
  });

  it("goes on only with the latent actions it began with", async () => {
    const labels = smallLabels(given.sides, { quantizerHash: "another" });
    const config = latentVlaTrainConfig.parse({ model: smallModel, steps: 31, batch: 8 });
    await expect(trainLatentVla(given.data, labels, config, { ...settings("latent"), resume: true })).rejects.toThrow(
      "must be of quantizer quantizer",
    );
  });
});
