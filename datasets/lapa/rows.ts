/**
 * @file What LAPA's own scripts hand each other: `{image, instruction, delta}` a line for latent pretraining (the answer of
 * laq/inference_sthv2.py), `{image, instruction, raw_actions}` a line for fine-tuning, and the list of conversations that
 * data/finetune_preprocess.py makes the latter of.
 */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import { z } from "zod";
import { FormatError } from "#core/errors.ts";

/** One step: `values` are `action` (raw), `latent_action` and `observation.state`, whichever there are. */
export type LapaRow = {
  readonly image: string;
  readonly instruction: string;
  readonly values: Readonly<Record<string, readonly number[]>>;
};
/** `end` is the place behind the row: a byte in a file of lines, a count in a list. */
export type PlacedRow = { readonly row: LapaRow; readonly start: number; readonly end: number };
export type LapaRows = {
  /** Rows from place `start` up to `end`, by default all. */
  read(start?: number, end?: number): AsyncIterable<PlacedRow>;
};

/** LAPA writes numbers as texts. */
const number = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[-+]?\.?\d/)
      .transform(Number),
  ])
  .pipe(z.number());
const numbers = z.array(number).min(1);
const turn = z.object({
  from: z.string(),
  value: z.string().optional(),
  raw_actions: numbers.optional(),
  states: z.record(z.string(), z.union([number, numbers])).optional(),
});
const rowSchema = z.object({
  image: z.string().min(1),
  instruction: z.string().optional(),
  raw_actions: numbers.optional(),
  delta: z
    .array(number.pipe(z.number().int().min(0)))
    .min(1)
    .optional(),
  conversations: z.array(turn).optional(),
});

/** The instruction stands between backticks in the question. */
const askedFor = (question: string | undefined) => /`([^`]*)`/.exec(question ?? "")?.[1] ?? "";

function rowOf(path: string, json: unknown, place: string): LapaRow {
  const { success, data, error } = rowSchema.safeParse(json);
  if (!success) {
    const [issue] = error.issues;
    throw new FormatError(path, `${place} must be a row of LAPA: ${issue!.path.join(".") || "it"}: ${issue!.message}.`);
  }
  const answer = data.conversations?.find(({ from }) => from === "gpt");
  const question = data.conversations?.find(({ from }) => from === "human");
  const action = data.raw_actions ?? answer?.raw_actions;
  const state = Object.values(answer?.states ?? {}).flat();
  return {
    image: data.image,
    instruction: data.instruction ?? askedFor(question?.value),
    values: {
      ...(state.length > 0 ? { "observation.state": state } : {}),
      ...(action ? { action } : {}),
      ...(data.delta ? { latent_action: data.delta } : {}),
    },
  };
}

function parse(path: string, text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(path, `${place} must be JSON (${(cause as Error).message}).`, { cause });
  }
}

const longestLine = 16 * 2 ** 20;

async function* readLines(path: string, start: number, end: number): AsyncGenerator<PlacedRow> {
  if (end <= start) return;
  const stream = createReadStream(path, { start, end: end - 1 });
  let rest = Buffer.alloc(0);
  let at = start;
  const rowAt = (line: Buffer, next: number): PlacedRow | undefined => {
    const text = line.toString("utf8").trim();
    const [from, place] = [at, `the line at byte ${at}`];
    at = next;
    return text === "" ? undefined : { row: rowOf(path, parse(path, text, place), place), start: from, end: next };
  };
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let used = 0;
    for (let stop = rest.indexOf(10); stop >= 0; stop = rest.indexOf(10, used)) {
      const placed = rowAt(rest.subarray(used, stop), at + stop + 1 - used);
      used = stop + 1;
      if (placed !== undefined) yield placed;
    }
    rest = rest.subarray(used);
    if (rest.length <= longestLine) continue;
    throw new FormatError(path, `a line must end within ${longestLine} bytes, this one does not.`, { byte: at });
  }
  const last = rowAt(rest, end);
  if (last !== undefined) yield last;
}

/** A list is read whole. */
const largestList = 256 * 2 ** 20;

async function readList(path: string, bytes: number): Promise<LapaRow[]> {
  if (bytes > largestList) {
    throw new FormatError(
      path,
      `a list must be smaller than ${largestList} bytes, got ${bytes}. Write it as .jsonl, a row a line.`,
    );
  }
  const json = parse(path, await readFile(path, "utf8"), "the file");
  if (!Array.isArray(json)) throw new FormatError(path, "must be a list of rows.");
  return json.map((row, index) => rowOf(path, row, `row ${index}`));
}

/** Opens rows: `.jsonl` is read a line at a time, `.json` whole. @throws FormatError when the file is missing or no list */
export async function openLapaRows(path: string): Promise<LapaRows> {
  const { size } = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `must be a file (${cause.code}). Check the path.`, { cause });
  });
  if (extname(path) === ".jsonl") return { read: (start = 0, end = size) => readLines(path, start, end) };
  const rows = await readList(path, size);
  return {
    async *read(start = 0, end = rows.length) {
      for (let index = start; index < end; index++) yield { row: rows[index]!, start: index, end: index + 1 };
    },
  };
}
