/** @file A policy as one ONNX file that runs without this product: with its statistics and a model card, checked before it appears. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as ort from "onnxruntime-node";
import { UserError } from "#core/errors.ts";
import { createRng, type Rng } from "#core/rng.ts";
import { writeFailure } from "#core/write-whole.ts";
import { compile, type Executor, exportOnnx, type InputSpec } from "#engine/index.ts";
import { inferenceProgram } from "./inference.ts";
import { modelCard } from "./model-card.ts";
import type { PolicyModel } from "./policy-model.ts";

export type ExportOptions = {
  readonly folder: string;
  /** Computes what the file must agree with. */
  readonly executor: Executor;
  /** Drawn observations on which both are compared. */
  readonly checks?: number;
};

export type ExportedPolicy = {
  readonly folder: string;
  readonly bytes: number;
  /** Largest difference of an action, as a share of its dimension's span. */
  readonly largestDifference: number;
  readonly files: readonly string[];
};

/** What goes into the file's metadata and beside it. */
export function exportedStatistics(model: PolicyModel) {
  const { policyId, backbone, head, space, camera, rateHz, vocabulary, tokenizer, normalisation, latent } = model;
  const { imageSize, textLength, stem, imageEncoder, textEncoder, codebookSize } = backbone;
  return {
    format: "armature-policy",
    version: 1,
    policyId,
    camera: { name: camera, height: imageSize, width: imageSize },
    rateHz,
    chunkLength: head.chunkLength,
    actionSpace: space,
    instruction: { vocabulary, length: textLength, padding: 0, unknown: 1 },
    head: { kind: head.kind, order: head.order, decoding: head.decoding },
    ...{ tokenizer, normalisation },
    ...(latent ? { latent: { ...latent, none: codebookSize } } : {}),
    ...(stem === "encoder" ? { imageEncoder } : {}),
    ...(textEncoder.file === "" ? {} : { textEncoder }),
    provenance: model.provenance ?? null,
  };
}

/** Numbers of an input's shape and type; ids stay below `limit`. */
function draw(rng: Rng, { shape, dtype }: InputSpec, limit: number): Float32Array | Int32Array | Uint8Array {
  const length = shape.reduce((product, size) => product * size, 1);
  if (dtype === "float32") return Float32Array.from({ length }, () => rng.normal());
  if (dtype === "uint8") return Uint8Array.from({ length }, () => rng.integer(256));
  return Int32Array.from({ length }, () => rng.integer(limit));
}

const limitOf = (name: string, { backbone, vocabulary }: PolicyModel): number => {
  if (name === "words") return vocabulary.length;
  return name === "previous" ? backbone.codebookSize + 1 : Math.max(1, backbone.imageEncoder.codes);
};

/** Runs file and engine on the same drawn inputs. @returns the largest difference of an action as a share of its span */
export async function compareWithEngine(
  bytes: Uint8Array,
  model: PolicyModel,
  { executor, checks = 8 }: Pick<ExportOptions, "executor" | "checks">,
): Promise<number> {
  const { infer, ...options } = inferenceProgram(model, 1);
  const program = await compile(infer, { ...options, executor });
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const rng = createRng(`export/${model.policyId}`);
  const spans = model.tokenizer.dimensions.map(({ edges }) => Math.max(1e-9, edges.at(-1)! - edges[0]!));
  let largest = 0;
  try {
    for (let check = 0; check < checks; check++) {
      const drawn = Object.entries(options.inputs).map(
        ([name, spec]) => [name, spec, draw(rng, spec, limitOf(name, model))] as const,
      );
      const wanted = await program.run(Object.fromEntries(drawn.map(([name, , data]) => [name, data])));
      const feeds = drawn.map(
        ([name, { shape, dtype }, data]) =>
          [name, new ort.Tensor(dtype as "float32", data as Float32Array, [...shape])] as const,
      );
      const got = await session.run(Object.fromEntries(feeds));
      for (const [name, { data }] of Object.entries(wanted)) {
        const found = got[name]!.data as Float32Array;
        data.forEach((value, index) => {
          const span = name === "actions" ? spans[index % spans.length]! : 1;
          const difference = Math.abs(value - found[index]!) / span;
          // A difference that is no number is the worst one.
          largest = difference >= 0 ? Math.max(largest, difference) : Number.POSITIVE_INFINITY;
        });
      }
    }
  } finally {
    await session.release();
    await program.dispose();
  }
  return largest;
}

/** Differences of float32 arithmetic in another order stay far below. */
const tolerance = 1e-3;

/**
 * Writes `policy.onnx` (its statistics also in the file's metadata under "armature"), `statistics.json` and `README.md`.
 *
 * @throws UserError when the folder exists, or the file's actions are not those of the engine: then nothing is written
 */
export async function exportPolicy(model: PolicyModel, options: ExportOptions): Promise<ExportedPolicy> {
  const { folder } = options;
  if (existsSync(folder)) {
    throw new UserError(`export: ${folder} exists already. Choose another folder, or remove it first.`);
  }
  const statistics = JSON.stringify(exportedStatistics(model), null, 2);
  const { infer, ...program } = inferenceProgram(model, 1);
  const bytes = exportOnnx(infer, { ...program, name: "policy", metadata: { armature: statistics } });
  const largestDifference = await compareWithEngine(bytes, model, options);
  if (!(largestDifference <= tolerance)) {
    throw new UserError(
      `export: the ONNX file must give the engine's actions, but differs by ${largestDifference.toPrecision(3)} of a dimension's span (at most ${tolerance}). Nothing was written; try --engine.kind onnxruntime and report it if it stays.`,
    );
  }
  const card = modelCard(model, {
    inputs: program.inputs,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    largestDifference,
  });
  const files = { "policy.onnx": bytes, "statistics.json": `${statistics}\n`, "README.md": card };
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary);
    for (const [name, content] of Object.entries(files)) await writeFile(join(temporary, name), content);
    await rename(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw writeFailure(folder, cause);
  }
  return { folder, bytes: bytes.length, largestDifference, files: Object.keys(files) };
}
