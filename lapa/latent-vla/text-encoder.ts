import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ort from "onnxruntime-node";
import { ConfigError, FormatError, UserError } from "#core/errors.ts";
import type { BackboneConfig } from "./config.ts";
import { openOnnxEncoder } from "./onnx-encoder.ts";

export type TextEncoder = {
  readonly config: BackboneConfig["textEncoder"];
  /** @returns f32[T, E] @throws ConfigError when the instruction is longer than the context */
  encode(instruction: string): Promise<Float32Array>;
};

const markFree = (text: string) => text.normalize("NFD").replace(/\p{Mn}/gu, "");

/** "Push the box!" -> ["push", "the", "box", "!"]. */
const basicTokens = (text: string) => markFree(text.toLowerCase()).match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];

/** Greedy longest pieces first (Wu et al. 2016, "WordPiece"; as BERT's uncased tokenizer). */
function wordPieces(word: string, vocabulary: ReadonlyMap<string, number>): number[] {
  const pieces: number[] = [];
  for (let start = 0; start < word.length; ) {
    let end = word.length;
    const piece = () => (start > 0 ? "##" : "") + word.slice(start, end);
    while (end > start && !vocabulary.has(piece())) end--;
    if (end === start) return [vocabulary.get("[UNK]")!];
    pieces.push(vocabulary.get(piece())!);
    start = end;
  }
  return pieces;
}

function readVocabulary(path: string): ReadonlyMap<string, number> {
  if (!existsSync(path)) {
    throw new UserError(
      `textEncoder: ${path} does not exist. Give the encoder's WordPiece vocabulary as --model.textEncoder.tokenizer.`,
    );
  }
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  const vocabulary = new Map(lines.map((line, index) => [line, index]));
  for (const token of ["[UNK]", "[CLS]", "[SEP]"]) {
    if (!vocabulary.has(token)) throw new FormatError(path, `must be a WordPiece vocabulary, but has no ${token}.`);
  }
  return vocabulary;
}

/** The instruction with its marks, i64[length] with zeros behind, and how much of it counts. */
export function pieceIds(
  vocabulary: ReadonlyMap<string, number>,
  instruction: string,
  length: number,
): { ids: BigInt64Array; count: number } {
  const inner = basicTokens(instruction).flatMap((word) => wordPieces(word, vocabulary));
  const pieces = [vocabulary.get("[CLS]")!, ...inner, vocabulary.get("[SEP]")!];
  if (pieces.length > length) {
    throw new ConfigError(
      `instruction "${instruction}": must have at most ${length} word pieces with its two marks, got ${pieces.length}. Shorten it or train with a larger --model.textLength.`,
    );
  }
  const ids = new BigInt64Array(length);
  for (const [place, piece] of pieces.entries()) ids[place] = BigInt(piece);
  return { ids, count: pieces.length };
}

/**
 * Opens a frozen sentence encoder in the form of BERT's exports (`input_ids`, `attention_mask`, maybe `token_type_ids`).
 * Gives one vector per word piece, zero behind the end, or one for the sentence, as its first output does.
 *
 * @throws UserError or FormatError when a file is missing, another one, or of another form
 */
export async function openTextEncoder({ textEncoder, textLength }: BackboneConfig): Promise<TextEncoder> {
  const { file } = textEncoder;
  const encoder = await openOnnxEncoder("textEncoder", file, textEncoder.sha256);
  const vocabulary = readVocabulary(textEncoder.tokenizer || join(dirname(file), "vocab.txt"));
  const names = encoder.inputs.map(({ name }) => name);
  if (!names.includes("input_ids")) {
    throw new FormatError(file, `must take input_ids and attention_mask, takes ${names.join(", ")}.`);
  }
  const read = async (instruction: string) => {
    const { ids, count } = pieceIds(vocabulary, instruction, textLength);
    const mask = ids.map((_, place) => (place < count ? 1n : 0n));
    const given: Record<string, BigInt64Array> = {
      input_ids: ids,
      attention_mask: mask,
      token_type_ids: new BigInt64Array(textLength),
    };
    const feeds = names.map((name) => [name, new ort.Tensor("int64", given[name]!, [1, textLength])] as const);
    const { dims, data } = await encoder.run(Object.fromEntries(feeds));
    const width = dims.at(-1)!;
    const tokens = dims.length === 3 ? dims[1]! : 1;
    const values = Float32Array.from(data as Float32Array);
    if (dims.length === 3) values.fill(0, count * width);
    return { tokens, width, values };
  };
  const { tokens, width } = await read("");
  return {
    config: { ...textEncoder, tokens, width, sha256: encoder.sha256 },
    encode: async (instruction) => (await read(instruction)).values,
  };
}
