import { describe, expect, it } from "@jest/globals";
import { taskKinds } from "#world/suites/push/config.ts";
import { isHeldOutPhrasing, phrase, phrasings, pushVocabulary } from "#world/suites/push/grammar.ts";
import { blockKinds } from "#world/tabletop/blocks.ts";

const [red, blue] = [blockKinds[0]!, blockKinds[1]!];
const all = { subject: red, reference: blue, place: "top left corner", direction: "up and right" } as const;

describe("phrase", () => {
  it("writes the sentence that a kind's first phrasing stands for", () => {
    const sentences = taskKinds.map((kind) => phrase(kind, all, phrasings(kind, 4)[0]!));
    expect(sentences).toEqual([
      "move to the red block",
      "push the red block to the blue block",
      "push the red block to the top left corner",
      "push the red block above and right of the blue block",
      "push the red block up and right",
      "push the red block away from the blue block",
    ]);
  });

  it("leaves no slot open and uses only words of the vocabulary", () => {
    const known = new Set(pushVocabulary);
    for (const kind of taskKinds) {
      for (const how of [...phrasings(kind, 4), ...phrasings(kind, 8)]) {
        const sentence = phrase(kind, all, how);
        expect(sentence).not.toMatch(/[{}]|undefined/);
        for (const word of sentence.split(" ")) expect(known).toContain(word);
      }
    }
  });

  it("writes another sentence for every phrasing", () => {
    for (const kind of taskKinds) {
      const sentences = phrasings(kind, 4).map((how) => phrase(kind, all, how));
      expect(new Set(sentences).size).toBe(sentences.length);
    }
  });
});

describe("phrasings", () => {
  it("name blocks by shape when two have one colour", () => {
    expect(phrasings("separate", 8).every(({ noun }) => noun === "shape")).toBe(true);
    expect(phrasings("separate", 4).some(({ noun }) => noun === "block")).toBe(true);
  });

  it("hold a quarter out, whose words all occur in the rest", () => {
    for (const kind of taskKinds) {
      const every = phrasings(kind, 4);
      const heldOut = every.filter(isHeldOutPhrasing);
      expect(heldOut.length).toBe(every.length / 4);
      const words = (some: typeof every) => new Set(some.flatMap((how) => phrase(kind, all, how).split(" ")));
      const trained = words(every.filter((how) => !isHeldOutPhrasing(how)));
      for (const word of words(heldOut)) expect(trained).toContain(word);
    }
  });
});
