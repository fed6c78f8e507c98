import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as ort from "onnxruntime-node";
import { createExecutor, type Executor } from "#engine/index.ts";
import { compareWithEngine, exportPolicy } from "#lapa/finetune/export.ts";
import { createPolicy } from "#lapa/finetune/policy.ts";
import { smallPolicy } from "./small-policy.ts";

let executor: Executor;
let folder: string;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "armature-export-"));
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true });
});

describe("exportPolicy", () => {
  it.each([
    ["parallel", {}],
    ["autoregressive", { order: "autoregressive", decoding: "argmax" }],
    ["flow", { kind: "flow", flowSteps: 3 }],
  ])("writes a %s policy whose file acts as the policy does", async (name, head) => {
    const model = smallPolicy(head);
    const out = join(folder, name);
    const { files, largestDifference } = await exportPolicy(model, { folder: out, executor });
    expect(readdirSync(out).sort()).toEqual([...files].sort());
    expect(largestDifference).toBeLessThan(1e-4);
    if (name === "flow") return;
    const session = await ort.InferenceSession.create(join(out, "policy.onnx"));
    const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, index) => (index * 7) % 256);
    const { actions } = await session.run({
      images: new ort.Tensor("uint8", pixels, [1, 16, 16, 3]),
      words: new ort.Tensor("int32", Int32Array.of(3, 1, 0, 0), [1, 4]),
    });
    const chunk = await createPolicy(model, executor, 4).infer({
      images: { front: { data: pixels, height: 16, width: 16 } },
      instruction: "Push, quickly!",
      stampNs: 0n,
    });
    expect(Array.from(actions!.data as Float32Array)).toBeAllClose(Array.from(chunk.actions));
    await session.release();
  });

  it("carries its statistics inside and beside, and says where it comes from", async () => {
    const out = join(folder, "facts");
    await exportPolicy(smallPolicy(), { folder: out, executor, checks: 1 });
    const beside = readFileSync(join(out, "statistics.json"), "utf8");
    expect(JSON.parse(beside)).toMatchObject({
      ...{
        rateHz: 10,
        chunkLength: 2,
        instruction: { length: 4, vocabulary: ["<pad>", "<unknown>", "block", "push"] },
      },
      actionSpace: { names: ["x", "grip"], units: ["m", "1"] },
      provenance: { dataHash: "d47a", parents: ["9a9a"] },
    });
    expect(readFileSync(join(out, "policy.onnx")).includes(Buffer.from(beside.trim()))).toBe(true);
    const card = readFileSync(join(out, "README.md"), "utf8");
    for (const fact of ["| 0 | x | m | -1.000 | 1.000 |", "data hash: d47a", "parents: 9a9a", "onnxruntime-web"]) {
      expect(card).toContain(fact);
    }
  });

  it("refuses when the engine says something else, and leaves nothing behind", async () => {
    const model = smallPolicy();
    const liar: Executor = {
      ...executor,
      async prepare(task) {
        const program = await executor.prepare(task);
        return {
          ...program,
          async run(inputs) {
            const { actions } = await program.run(inputs);
            return { actions: { ...actions!, data: actions!.data.map((value) => value + 0.01) as Float32Array } };
          },
        };
      },
    };
    expect(await compareWithEngine(new Uint8Array(0), model, { executor }).catch(() => "no model")).toBe("no model");
    const out = join(folder, "lie");
    await expect(exportPolicy(model, { folder: out, executor: liar })).rejects.toThrow(
      "must give the engine's actions",
    );
    expect(readdirSync(folder).filter((name) => name.startsWith("lie"))).toEqual([]);
  });

  it("never touches a folder that is there", async () => {
    const out = join(folder, "facts");
    await expect(exportPolicy(smallPolicy(), { folder: out, executor })).rejects.toThrow("exists already");
    expect(existsSync(join(out, "policy.onnx"))).toBe(true);
  });
});
