import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createExecutor, type Executor } from "#engine/index.ts";
import { finetuneConfig } from "#lapa/finetune/config.ts";
import { createPolicy, finetune, openPolicyModel } from "#lapa/finetune/index.ts";
import { smallData, smallModel } from "./small-data.ts";
import { smallPolicy } from "./small-policy.ts";

let executor: Executor;
let folder: string;
let checkpoint: string;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "armature-open-"));
  const config = finetuneConfig.parse({ model: smallModel, steps: 2, batch: 8, head: { chunkLength: 2, bins: 8 } });
  const run = await finetune(smallData().data, config, { executor, folder: join(folder, "run"), command: "test" });
  checkpoint = run.checkpoint.path;
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true });
});

describe("openPolicyModel", () => {
  it("finds everything in the folder", async () => {
    const model = await openPolicyModel(checkpoint);
    expect(model.space.names).toEqual(["joint 0", "joint 1"]);
    expect(model.provenance).toMatchObject({ step: 2, dataHash: "data", parents: [] });
  });

  it.each([
    ["tokenizer", (s: Statistics) => s.tokenizer.dimensions.pop(), "2 dimensions with bins are needed, got 1"],
    [
      "bins",
      (s: Statistics) => s.tokenizer.dimensions[0]!.centres.push(9),
      "3 classes of the action head are needed, got 2",
    ],
    ["names", (s: Statistics) => s.space.names.push("third"), "3 units are needed, got 2"],
    ["words", (s: Statistics) => s.vocabulary.push("new"), "words are needed"],
    ["scales", (s: Statistics) => s.normalisation.scale.pop(), "2 scales are needed, got 1"],
  ])("refuses statistics that are not those of the weights: %s", async (_, spoil, message) => {
    const path = join(checkpoint, "meta.json");
    const before = readFileSync(path, "utf8");
    const meta = JSON.parse(before);
    spoil(meta.statistics);
    writeFileSync(path, JSON.stringify(meta));
    try {
      await expect(openPolicyModel(checkpoint)).rejects.toThrow(message);
    } finally {
      writeFileSync(path, before);
    }
  });
});

type Statistics = {
  tokenizer: { dimensions: { centres: number[] }[] };
  space: { names: string[] };
  vocabulary: string[];
  normalisation: { scale: number[] };
};

describe("createPolicy", () => {
  const observation = (tick: number) => ({
    images: { front: { data: new Uint8Array(768).fill(40 * tick), height: 16, width: 16 } },
    instruction: "push block",
    stampNs: BigInt(tick) * 100_000_000n,
  });

  it("averages chunks where the head asks for it, one episode at a time", async () => {
    const plain = createPolicy(smallPolicy({ kind: "flow" }), executor);
    const averaged = createPolicy(smallPolicy({ kind: "flow", ensemble: true, ensembleDecay: 0 }), executor);
    const [first, second] = [await plain.infer(observation(0)), await plain.infer(observation(1))];
    await averaged.infer(observation(0));
    const [chunk] = await averaged.inferBatch([observation(1)]);
    const want = [(first.actions[2]! + second.actions[0]!) / 2, (first.actions[3]! + second.actions[1]!) / 2];
    expect([...chunk!.actions]).toBeAllClose([...want, second.actions[2]!, second.actions[3]!]);
    await expect(averaged.inferBatch([observation(2), observation(2)])).rejects.toThrow("one episode at a time");
  });

  it("draws a flow policy's noise anew, the same after a reset", async () => {
    const policy = createPolicy(smallPolicy({ kind: "flow" }), executor);
    const first = await policy.infer(observation(0));
    expect((await policy.infer(observation(0))).actions).not.toEqual(first.actions);
    policy.reset();
    expect((await policy.infer(observation(0))).actions).toEqual(first.actions);
  });

  it("hears the latent action it said one offset before", async () => {
    const policy = createPolicy(smallPolicy({}, {}, true), executor);
    const fresh = (await policy.infer(observation(2))).actions;
    policy.reset();
    await policy.infer(observation(0));
    expect((await policy.infer(observation(2))).actions).not.toEqual(fresh);
  });

  it("refuses pictures of another size and instructions longer than the context", async () => {
    const policy = createPolicy(smallPolicy(), executor);
    const small = { front: { data: new Uint8Array(12), height: 2, width: 2 } };
    await expect(policy.infer({ ...observation(0), images: small })).rejects.toThrow("as 16 x 16 pixels, got 2 x 2");
    await expect(policy.infer({ ...observation(0), instruction: "a b c d e" })).rejects.toThrow(
      "at most 4 words, got 5",
    );
  });
});
