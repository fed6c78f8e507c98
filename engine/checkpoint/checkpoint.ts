/**
 * @file A checkpoint is a folder: `model.safetensors` (parameters, non-gradient state, averaged weights),
 * `optimizer.safetensors`, `config.json` and `meta.json`. It comes into being by one rename, so a folder under its final
 * name is whole; what was cut or changed afterwards is found by length and SHA-256 and refused.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import { writeFailure, writeWhole } from "#core/write-whole.ts";
import type { TrainState } from "../train-step.ts";
import { flattenTree, type HostArray, type Tree, unflattenTree } from "../tree.ts";
import { type CheckpointFacts, type CheckpointMeta, checkpointMeta } from "./meta.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

const modelFile = "model.safetensors";
const optimizerFile = "optimizer.safetensors";
const configFile = "config.json";
const metaFile = "meta.json";

export type Model = {
  readonly path: string;
  /** First 16 hex digits of the SHA-256 of the weights: equal weights, equal id. */
  readonly id: string;
  readonly config: unknown;
  readonly meta: CheckpointMeta;
  readonly parameters: Tree<HostArray>;
  readonly extra: Tree<HostArray>;
  /** Averaged weights of the trained parameters, where the run kept them. */
  readonly ema: Tree<HostArray> | undefined;
};

export type Checkpoint = Model & { readonly state: TrainState };

const idOf = (meta: CheckpointMeta) => meta.files[modelFile]!.slice(0, 16);

const asFile = (tree: unknown) => new Map(flattenTree(tree as Tree<HostArray>));

/**
 * Writes a checkpoint folder: whole under its name, or not at all. One that is there already is replaced.
 *
 * @param config the resolved configuration, a plain JSON value
 * @returns the checkpoint's id
 * @throws UserError when the disk is full or the place is not writable; what was there before stays
 */
export async function writeCheckpoint(
  path: string,
  { state, config, facts }: { readonly state: TrainState; readonly config: unknown; readonly facts: CheckpointFacts },
): Promise<string> {
  const temporary = `${path}.${process.pid}.tmp`;
  const { optimizer, ...model } = state;
  const configText = `${JSON.stringify(config, null, 2)}\n`;
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    const files = {
      [modelFile]: await writeSafetensors(join(temporary, modelFile), asFile(model)),
      [optimizerFile]: await writeSafetensors(join(temporary, optimizerFile), asFile(optimizer)),
      [configFile]: createHash("sha256").update(configText).digest("hex"),
    };
    writeWhole(join(temporary, configFile), configText);
    const meta: CheckpointMeta = { format: "armature-checkpoint", version: 1, ...facts, files };
    writeWhole(join(temporary, metaFile), `${JSON.stringify(meta, null, 2)}\n`);
    await replaceFolder(temporary, path);
    return idOf(meta);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw writeFailure(path, cause);
  }
}

/** A folder cannot be renamed onto another: the old one steps aside first. */
async function replaceFolder(from: string, to: string): Promise<void> {
  const aside = `${to}.old.${process.pid}.tmp`;
  const replaces = existsSync(to);
  if (replaces) await rename(to, aside);
  await rename(from, to);
  if (replaces) await rm(aside, { recursive: true, force: true });
}

const damaged = "Take another checkpoint, or copy this one again.";

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(path, `must be JSON, but ends or breaks off early. ${damaged}`, { byte: text.length, cause });
  }
}

async function readMeta(path: string): Promise<CheckpointMeta> {
  const wanted = [modelFile, configFile, metaFile];
  const missing = wanted.filter((name) => !existsSync(join(path, name)));
  if (missing.length > 0) {
    throw new FormatError(path, `must be a checkpoint folder, but ${missing.join(" and ")} is not there. ${damaged}`);
  }
  const file = join(path, metaFile);
  const meta = checkpointMeta.safeParse(await readJson(file));
  if (meta.success) return meta.data;
  const problem = z.prettifyError(meta.error).split("\n")[0]?.replace("✖ ", "");
  throw new FormatError(file, `is not the description of a checkpoint (${problem}). ${damaged}`, { cause: meta.error });
}

/** Reads one file's arrays as a tree and checks that they are the ones that were written. */
async function readTree(path: string, name: string, meta: CheckpointMeta): Promise<Record<string, Tree<HostArray>>> {
  const file = join(path, name);
  const arrays = await readSafetensors(file);
  await checkHash(file, meta.files[name]);
  return unflattenTree(arrays) as Record<string, Tree<HostArray>>;
}

async function checkHash(file: string, wanted: string | undefined): Promise<void> {
  if ((await sha256(file)) !== wanted) {
    throw new FormatError(file, `its SHA-256 must be the one in ${metaFile}: the file was changed. ${damaged}`);
  }
}

/**
 * Reads what a policy needs; `optimizer.safetensors` may be missing.
 *
 * @throws FormatError naming the file and byte when the folder is partial, cut, changed or something else
 */
export async function readModel(path: string): Promise<Model> {
  const meta = await readMeta(path);
  const { parameters, extra = {}, ema } = await readTree(path, modelFile, meta);
  if (parameters === undefined) {
    throw new FormatError(join(path, modelFile), `must hold arrays named "parameters.…", but has none. ${damaged}`);
  }
  const config = await readJson(join(path, configFile));
  await checkHash(join(path, configFile), meta.files[configFile]);
  return { path, id: idOf(meta), config, meta, parameters, extra, ema };
}

/** Reads all that a run needs to go on. @throws FormatError as `readModel` */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const model = await readModel(path);
  if (!existsSync(join(path, optimizerFile))) {
    const why = `must hold ${optimizerFile} to go on from, but does not.`;
    throw new FormatError(path, `${why} Start a new run from these weights, or take another checkpoint.`);
  }
  const optimizer = (await readTree(path, optimizerFile, model.meta)) as unknown as TrainState["optimizer"];
  const { parameters, extra, ema } = model;
  return { ...model, state: { parameters, extra, optimizer, ...(ema === undefined ? {} : { ema }) } };
}
