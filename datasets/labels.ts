/**
 * @file Latent labels on disk: `<name>.parquet` (episode_index, first_frame, second_frame, codes) and beside it
 * `<name>.json` with what they were made from. The side file is written last and holds the hash of the other, so that
 * half a label set is never read.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { FormatError, ShapeError, UserError } from "#core/errors.ts";
import { writeWhole } from "#core/write-whole.ts";
import { openParquet, ParquetBuilder } from "./parquet.ts";

const columns = [
  { name: "episode_index", type: "INT32" },
  { name: "first_frame", type: "INT32" },
  { name: "second_frame", type: "INT32" },
  { name: "codes", type: "INT32", depth: 1 },
] as const;

const headSchema = z.strictObject({
  format: z.literal("armature-latent-labels-1"),
  quantizerHash: z.string(),
  codebookSize: z.int().positive(),
  codesPerStep: z.int().positive(),
  offsetS: z.number().positive(),
  source: z.strictObject({ path: z.string(), hash: z.string() }),
  pairs: z.int().nonnegative(),
  parquetSha256: z.string(),
});

const sideFile = (path: string) => path.replace(/\.parquet$/, ".json");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function requireParquetName(path: string): void {
  if (!path.endsWith(".parquet"))
    throw new UserError(`labels: the file must end in .parquet, got "${path}". Rename it.`);
}

/** Rows of the code table. */
function codeRows({ codes, codesPerStep }: LatentLabels): number[][] {
  const rows = codes.length / codesPerStep;
  return Array.from({ length: rows }, (_, row) =>
    Array.from(codes.subarray(row * codesPerStep, (row + 1) * codesPerStep)),
  );
}

function requireConsistent(subject: string, labels: LatentLabels): void {
  const { episodes, first, second, codes, codesPerStep, codebookSize } = labels;
  const pairs = episodes.length;
  if (first.length !== pairs || second.length !== pairs || codes.length !== pairs * codesPerStep) {
    throw new ShapeError(
      `${subject}: ${pairs} pairs need ${pairs} first and second frames and i32[${pairs}, ${codesPerStep}] codes, got ${first.length}, ${second.length} and ${codes.length} codes.`,
    );
  }
  const wrong = codes.findIndex((code) => code < 0 || code >= codebookSize);
  if (wrong >= 0) {
    throw new ShapeError(
      `${subject}: codes must be in [0, ${codebookSize}), got ${codes[wrong]} in pair ${Math.floor(wrong / codesPerStep)}.`,
    );
  }
}

/**
 * Writes labels as `path` (.parquet) and its side file (.json), whole or not at all.
 *
 * @throws ShapeError for labels that contradict themselves; UserError when the place cannot be written
 */
export function writeLatentLabels(path: string, labels: LatentLabels): void {
  requireParquetName(path);
  requireConsistent(path, labels);
  const builder = new ParquetBuilder(columns);
  builder.add([
    { ...columns[0], values: labels.episodes },
    { ...columns[1], values: labels.first },
    { ...columns[2], values: labels.second },
    { ...columns[3], values: codeRows(labels) },
  ]);
  const bytes = builder.finish();
  const { quantizerHash, codebookSize, codesPerStep, offsetS, source } = labels;
  const head: z.infer<typeof headSchema> = {
    format: "armature-latent-labels-1",
    ...{ quantizerHash, codebookSize, codesPerStep, offsetS, source },
    ...{ pairs: labels.episodes.length, parquetSha256: sha256(bytes) },
  };
  writeWhole(path, bytes);
  writeWhole(sideFile(path), `${JSON.stringify(head, null, 2)}\n`);
}

/** What labels must agree with; left out, it is not asked. */
export type ExpectedLabels = {
  readonly quantizerHash?: string;
  readonly sourceHash?: string;
  readonly offsetS?: number;
};

/**
 * Reads labels and refuses those of another quantizer, data set or offset.
 *
 * @throws FormatError when a file is missing, cut or not of this format; UserError when they are of something else
 */
export async function readLatentLabels(path: string, expected: ExpectedLabels = {}): Promise<LatentLabels> {
  requireParquetName(path);
  const head = await readHead(sideFile(path));
  requireExpected(path, head, expected);
  const bytes = await readFile(path).catch((cause) => {
    throw new FormatError(path, "the labels are missing beside their side file. Make them again.", { cause });
  });
  if (sha256(bytes) !== head.parquetSha256) {
    throw new FormatError(
      path,
      `must be the file that ${sideFile(path)} was written for, but its hash differs. Make the labels again.`,
    );
  }
  const file = await openParquet(path);
  try {
    const read = await file.columns(columns.map(({ name }) => name));
    const integers = (name: string) => Int32Array.from(read.get(name) as number[]);
    const labels: LatentLabels = {
      quantizerHash: head.quantizerHash,
      codebookSize: head.codebookSize,
      codesPerStep: head.codesPerStep,
      offsetS: head.offsetS,
      source: head.source,
      episodes: integers("episode_index"),
      first: integers("first_frame"),
      second: integers("second_frame"),
      codes: Int32Array.from((read.get("codes") as number[][]).flat()),
    };
    requireConsistent(path, labels);
    return labels;
  } finally {
    await file.close();
  }
}

async function readHead(path: string): Promise<z.infer<typeof headSchema>> {
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new FormatError(path, "the side file of the labels is missing. Make the labels again.", { cause });
  });
  try {
    return headSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(path, "must be the side file of latent labels, but is not. Make the labels again.", {
      cause,
    });
  }
}

function requireExpected(path: string, head: z.infer<typeof headSchema>, expected: ExpectedLabels): void {
  const short = (hash: string) => hash.slice(0, 12);
  const { quantizerHash, sourceHash, offsetS } = expected;
  if (quantizerHash !== undefined && quantizerHash !== head.quantizerHash) {
    throw new UserError(
      `${path}: must be labels of quantizer ${short(quantizerHash)}, got those of ${short(head.quantizerHash)}. Label the data set again.`,
    );
  }
  if (sourceHash !== undefined && sourceHash !== head.source.hash) {
    throw new UserError(
      `${path}: must be labels of data set ${short(sourceHash)}, got those of ${head.source.path} (${short(head.source.hash)}). Label this data set.`,
    );
  }
  if (offsetS !== undefined && Math.abs(offsetS - head.offsetS) > 1e-9) {
    throw new UserError(
      `${path}: must be labels of frames ${offsetS} s apart, got ${head.offsetS} s. Label again, or set the offset to ${head.offsetS}.`,
    );
  }
}
