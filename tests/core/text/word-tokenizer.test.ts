import { describe, expect, it } from "@jest/globals";
import { ConfigError } from "#core/errors.ts";
import { buildVocabulary, encodeText, padToken, splitWords, unknownToken } from "#core/text/word-tokenizer.ts";

describe("word tokenizer", () => {
  const vocabulary = buildVocabulary(["Push the red block!", "push it"]);

  it("splits words whatever their case and punctuation", () => {
    expect(splitWords("  Push the RED-block, now! ")).toEqual(["push", "the", "red", "block", "now"]);
    expect(splitWords("")).toEqual([]);
  });

  it("lists words in alphabetical order after pad and unknown", () => {
    expect(vocabulary).toEqual(["<pad>", "<unknown>", "block", "it", "push", "red", "the"]);
    expect(buildVocabulary(["a b", "a"], 2)).toEqual(["<pad>", "<unknown>", "a"]);
  });

  it("pads on the right and marks what it does not know", () => {
    expect([...encodeText(vocabulary, "push the green block", 6)]).toEqual([4, 6, unknownToken, 2, padToken, padToken]);
  });

  it("refuses an instruction that is too long", () => {
    expect(() => encodeText(vocabulary, "push the red block", 3)).toThrow(ConfigError);
    expect(() => encodeText(vocabulary, "push the red block", 3)).toThrow("at most 3 words, got 4");
  });
});
