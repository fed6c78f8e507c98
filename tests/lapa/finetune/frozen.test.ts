import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { createExecutor, type Executor } from "#engine/index.ts";
import { finetuneConfig } from "#lapa/finetune/config.ts";
import { createPolicy, exportPolicy, finetune, openPolicyModel } from "#lapa/finetune/index.ts";
import { writeImageEncoder, writeTextEncoder } from "../latent-vla/encoder-files.ts";
import { writeGraphModel } from "../quantizer/graph-file.ts";
import { smallData, smallModel } from "./small-data.ts";

let executor: Executor;
let folder: string;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "armature-frozen-"));
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true });
});

it.each([
  {
    form: "an ONNX file",
    write: () => writeImageEncoder(folder, "maps"),
    change: (file: string) => writeFileSync(file, "no"),
  },
  {
    form: "a TensorFlow.js graph model",
    write: () => writeGraphModel(join(folder, "graph")),
    change: () => void writeGraphModel(join(folder, "graph"), { bias: [0, 0, 1] }),
  },
])("learns through $form and a sentence encoder, finds them again by their hash, and refuses others", async (eyes) => {
  const file = eyes.write();
  const model = {
    ...{ ...smallModel, textLength: 6, stem: "encoder", imageEncoder: { file } },
    textEncoder: { file: writeTextEncoder(folder, 6) },
  };
  const config = finetuneConfig.parse({
    ...{ model, steps: 80, batch: 8, learningRate: 5e-3, warmupSteps: 5, shiftPixels: 1 },
    head: { chunkLength: 2, bins: 8, smoothing: 0 },
  });
  const { data, sides } = smallData({ caption: "push the block" });
  const run = mkdtempSync(join(folder, "run-"));
  await finetune(data, config, { executor, folder: run, command: "test" });
  const policyModel = await openPolicyModel(run);
  const policy = createPolicy(policyModel, executor, 2);
  const observations = [0, 1].map((clip) => {
    const pixels = new Uint8Array(768);
    data.frames.read(clip, 0, pixels, 0);
    const front = { data: pixels, height: 16, width: 16 };
    return { images: { front }, instruction: "push the block", stampNs: 0n };
  });
  const chunks = await policy.inferBatch(observations);
  expect(chunks.map(({ actions }) => Math.sign(actions[0]!))).toEqual([0, 1].map((clip) => 2 * sides[clip]![0]! - 1));
  const { largestDifference } = await exportPolicy(policyModel, { folder: join(run, "onnx"), executor });
  expect(largestDifference).toBeLessThan(1e-4);
  eyes.change(file);
  await expect(createPolicy(policyModel, executor).infer(observations[0]!)).rejects.toThrow("trained with");
});
