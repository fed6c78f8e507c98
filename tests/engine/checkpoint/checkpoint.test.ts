import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "@jest/globals";
import { FormatError } from "#core/errors.ts";
import {
  bestCheckpoint,
  type CheckpointFacts,
  checkpointPath,
  filled,
  latestCheckpoint,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  readModel,
  type TrainState,
  writeBest,
  writeCheckpoint,
} from "#engine/index.ts";
import { temporaryFolder } from "../small-training.ts";

const counter = { shape: [], dtype: "int32", data: Int32Array.of(5) } as const;
const weights = (value: number) => ({ blocks: [{ weight: filled([2, 3], value) }, { weight: filled([3], value) }] });
const state: TrainState = {
  parameters: weights(1),
  extra: { codebook: filled([4], 2) },
  optimizer: { updates: counter, first: weights(3), second: weights(4) },
  ema: weights(5),
};
const facts: CheckpointFacts = {
  step: 5,
  seed: 7,
  code: "0.1.0 abc",
  engine: "onnxruntime",
  parents: ["0123456789abcdef"],
  dataHash: "d",
  statistics: { action: { mean: [0.5], std: [1] } },
  metrics: { loss: 0.25 },
};
const config = { width: 3, name: "ä" };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = temporaryFolder();
  path = join(folder, "step-000005");
  await writeCheckpoint(path, { state, config, facts });
});

describe("checkpoint", () => {
  it("gives back state, config and facts", async () => {
    const read = await readCheckpoint(path);
    expect(read.state).toEqual(state);
    expect(read.config).toEqual(config);
    expect(read.meta).toMatchObject(facts);
    expect(readdirSync(folder)).toEqual(["step-000005"]);
    expect(readdirSync(path).sort()).toEqual([
      "config.json",
      "meta.json",
      "model.safetensors",
      "optimizer.safetensors",
    ]);
  });

  it("has an id that depends on the weights alone", async () => {
    const { id } = await readModel(path);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    const same = await writeCheckpoint(join(folder, "same"), { state, config: {}, facts: { ...facts, step: 9 } });
    const other = await writeCheckpoint(join(folder, "other"), {
      state: { ...state, parameters: weights(2) },
      config,
      facts,
    });
    expect(same).toBe(id);
    expect(other).not.toBe(id);
  });

  it("serves as a model without its optimizer, but cannot be gone on from", async () => {
    rmSync(join(path, "optimizer.safetensors"));
    expect((await readModel(path)).parameters).toEqual(state.parameters);
    await expect(readCheckpoint(path)).rejects.toThrow(/step-000005: must hold optimizer\.safetensors to go on from/);
  });

  it("leaves out what a run does not keep", async () => {
    const { ema: _, ...lean } = state;
    await writeCheckpoint(join(folder, "lean"), { state: { ...lean, extra: {} }, config, facts });
    expect((await readCheckpoint(join(folder, "lean"))).state).toEqual({ ...lean, extra: {} });
  });

  it("replaces a checkpoint of the same name", async () => {
    await writeCheckpoint(path, { state: { ...state, parameters: weights(9) }, config, facts });
    expect((await readModel(path)).parameters).toEqual(weights(9));
    expect(readdirSync(folder)).toEqual(["step-000005"]);
  });

  it("that cannot be written leaves the earlier one and nothing else", async () => {
    const broken = { ...state, parameters: { bad: { shape: [1], dtype: "float64", data: null } } } as never;
    await expect(writeCheckpoint(path, { state: broken, config, facts })).rejects.toThrow();
    expect((await readCheckpoint(path)).state).toEqual(state);
    expect(readdirSync(folder)).toEqual(["step-000005"]);
  });
});

describe("a damaged checkpoint is refused by name", () => {
  it.each(["model.safetensors", "config.json", "meta.json"])("without %s", async (name) => {
    rmSync(join(path, name));
    await expect(readCheckpoint(path)).rejects.toThrow(
      `${path}: must be a checkpoint folder, but ${name} is not there. Take another checkpoint, or copy this one again.`,
    );
  });

  it.each(["model.safetensors", "optimizer.safetensors", "config.json", "meta.json"])(
    "with %s cut anywhere",
    async (name) => {
      const size = readFileSync(join(path, name)).length;
      for (const length of [0, 1, 9, Math.floor(size / 2), size - 2]) {
        const copy = join(folder, `cut-${length}`);
        cpSync(path, copy, { recursive: true });
        truncateSync(join(copy, name), length);
        const reading = readCheckpoint(copy);
        await expect(reading).rejects.toThrow(FormatError);
        await expect(reading).rejects.toThrow(join(copy, name));
      }
    },
  );

  it.each(["model.safetensors", "optimizer.safetensors", "config.json"])("with a changed bit in %s", async (name) => {
    const bytes = readFileSync(join(path, name));
    const at = name === "config.json" ? bytes.indexOf("3") : bytes.length - 1;
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(join(path, name), bytes);
    await expect(readCheckpoint(path)).rejects.toThrow(`${join(path, name)}: its SHA-256 must be the one in meta.json`);
  });

  it("that is something else", async () => {
    writeFileSync(join(path, "meta.json"), '{"framework":"other"}');
    await expect(readCheckpoint(path)).rejects.toThrow("meta.json: is not the description of a checkpoint");
    await expect(readCheckpoint(join(folder, "nowhere"))).rejects.toThrow("nowhere: must be a checkpoint folder");
  });
});

describe("checkpoints of a run", () => {
  const make = (step: number) => mkdirSync(checkpointPath(folder, step));

  it("are found by step, whole ones alone", () => {
    for (const step of [1000000, 40]) make(step);
    mkdirSync(join(folder, "step-000050.123.tmp"));
    expect(listCheckpoints(folder).map(({ step }) => step)).toEqual([5, 40, 1000000]);
    expect(latestCheckpoint(folder)).toEqual({ step: 1000000, path: join(folder, "step-1000000") });
    expect(latestCheckpoint(join(folder, "nowhere"))).toBeUndefined();
  });

  it("are kept to a number, the best besides", async () => {
    for (const step of [10, 20, 30]) make(step);
    mkdirSync(join(folder, "step-000050.123.tmp"));
    writeBest(folder, { step: 5, metric: "loss", value: 1 });
    await pruneCheckpoints(folder, 2);
    expect(readdirSync(folder).sort()).toEqual(["best.json", "step-000005", "step-000020", "step-000030"]);
    expect(bestCheckpoint(folder)?.step).toBe(5);
  });

  it("have the newest as their best until one was measured", () => {
    make(10);
    expect(bestCheckpoint(folder)?.step).toBe(10);
    writeFileSync(join(folder, "best.json"), '{"step":');
    expect(() => bestCheckpoint(folder)).toThrow("best.json: must name the best checkpoint. Delete the file");
    expect(existsSync(path)).toBe(true);
  });
});
