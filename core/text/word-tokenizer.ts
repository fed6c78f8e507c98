/**
 * @file Words to numbers for small vocabularies of instructions. Lower-case, punctuation dropped; what training never saw
 * becomes `<unknown>`. The vocabulary is data and travels with the checkpoint.
 */
import { ConfigError } from "../errors.ts";

export const padToken = 0;
export const unknownToken = 1;
const specialTokens = ["<pad>", "<unknown>"];

export type Vocabulary = readonly string[];

/** "Push the red block!" -> ["push", "the", "red", "block"]. */
export function splitWords(text: string): string[] {
  return text
    .toLowerCase()
    .normalize("NFKC")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 0);
}

/** All words of `texts` that occur at least `minCount` times, in alphabetical order, after the special tokens. */
export function buildVocabulary(texts: Iterable<string>, minCount = 1): Vocabulary {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].filter(([, count]) => count >= minCount).map(([word]) => word);
  return [...specialTokens, ...words.sort()];
}

/**
 * Encodes one instruction, padded on the right with `padToken`.
 *
 * @returns i32[length]
 * @throws ConfigError when the instruction has more words than `length`
 */
export function encodeText(vocabulary: Vocabulary, text: string, length: number): Int32Array {
  const words = splitWords(text);
  if (words.length > length) {
    throw new ConfigError(
      `instruction "${text}": must have at most ${length} words, got ${words.length}. Shorten it or train with a larger --model.textLength.`,
    );
  }
  const index = vocabularyIndex(vocabulary);
  const tokens = new Int32Array(length).fill(padToken);
  for (const [position, word] of words.entries()) tokens[position] = index.get(word) ?? unknownToken;
  return tokens;
}

const indexes = new WeakMap<Vocabulary, Map<string, number>>();

function vocabularyIndex(vocabulary: Vocabulary): Map<string, number> {
  let index = indexes.get(vocabulary);
  if (!index) {
    index = new Map(vocabulary.map((word, token) => [word, token]));
    indexes.set(vocabulary, index);
  }
  return index;
}
