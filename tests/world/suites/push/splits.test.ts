import { describe, expect, it } from "@jest/globals";
import { ConfigError } from "#core/errors.ts";
import { parsePushConfig, taskKinds } from "#world/suites/push/config.ts";
import { phrase } from "#world/suites/push/grammar.ts";
import { generatePushInstance } from "#world/suites/push/instance.ts";
import { combinations, splitContent } from "#world/suites/push/splits.ts";
import { pushers } from "#world/suites/push/suite.ts";
import { splits } from "#world/suites/split.ts";

const config = parsePushConfig({});
const eight = parsePushConfig({ blocks: 8 });

describe("splits", () => {
  it("share no combination of objects between training and unseen objects", () => {
    for (const suite of [config, eight]) {
      for (const kind of taskKinds) {
        const keys = (split: "train" | "unseen-objects") =>
          splitContent(kind, split, suite).combinations.map(({ heldOut: _, ...combination }) =>
            JSON.stringify(combination),
          );
        const trained = new Set(keys("train"));
        for (const key of keys("unseen-objects")) expect(trained).not.toContain(key);
        expect(trained.size + keys("unseen-objects").length).toBe(combinations(kind, suite).length);
      }
    }
  });

  it("still train every block, place and direction in every role", () => {
    for (const kind of taskKinds) {
      const every = combinations(kind, config);
      const trained = splitContent(kind, "train", config).combinations;
      for (const role of ["subject", "reference", "place", "direction"] as const) {
        const values = (some: typeof trained) => new Set(some.flatMap((combination) => combination[role] ?? []));
        expect(values(trained)).toEqual(values(every));
      }
    }
  });

  it("share no sentence between training and unseen phrasings", () => {
    for (const kind of taskKinds) {
      const sentences = (split: "train" | "unseen-phrasing") => {
        const content = splitContent(kind, split, config);
        return content.combinations.flatMap((combination) =>
          content.phrasings.map((how) => phrase(kind, combination, how)),
        );
      };
      const trained = new Set(sentences("train"));
      for (const sentence of sentences("unseen-phrasing")) expect(trained).not.toContain(sentence);
    }
  });

  it("have disjoint hashes, seed by seed", () => {
    const pusher = pushers.pusher!;
    const hashes = splits.flatMap((split) =>
      Array.from({ length: 40 }, (_, seed) => generatePushInstance(config, pusher, split, seed).hash),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("of a suite that holds nothing out are empty, and say so", () => {
    const demo = parsePushConfig({ holdOut: false });
    expect(() => generatePushInstance(demo, pushers.pusher!, "unseen", 1)).toThrow(ConfigError);
    expect(() => generatePushInstance(demo, pushers.pusher!, "unseen", 1)).toThrow(
      'suite: split "unseen" must hold some task, got none. Turn on holdOut or choose "seen".',
    );
  });

  it("name blocks and places that do not exist", () => {
    const pusher = pushers.pusher!;
    const draw = (value: unknown) => generatePushInstance(parsePushConfig(value), pusher, "train", 1);
    expect(() => draw({ subjects: ["pink-cube"] })).toThrow('subjects must name blocks on the table, got "pink-cube"');
    expect(() => draw({ subjects: ["red-triangle"] })).toThrow("on the table");
    expect(() => draw({ places: ["middle"] })).toThrow('places must be known, got "middle"');
  });
});

describe("parsePushConfig", () => {
  it("fills in defaults and names the field that is wrong", () => {
    expect(config).toMatchObject({ blocks: 4, maxSteps: 60, holdSteps: 2, holdOut: true });
    expect(() => parsePushConfig({ blocks: 5 })).toThrow(/^suite: blocks must be valid/);
    expect(() => parsePushConfig({ thresholds: { edgeM: -1 } })).toThrow(/^suite: thresholds\.edgeM/);
    expect(() => parsePushConfig({ block: 4 })).toThrow(ConfigError);
  });
});
