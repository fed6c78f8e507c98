import { describe, expect, it } from "@jest/globals";
import type { Vector3 } from "#core/geometry/quaternion.ts";
import { drawInstance, parsePickPlaceConfig, pickPlacePresets, pickVocabulary, splits } from "#world/index.ts";
import { pickKinds } from "#world/suites/pick-place/config.ts";
import type { PickGoal } from "#world/suites/pick-place/goal.ts";
import { isHeldOutPhrasing, pickPhrase, pickPhrasings } from "#world/suites/pick-place/grammar.ts";
import { pickCombinations, pickSplitContent } from "#world/suites/pick-place/splits.ts";
import { findThing, thingKinds } from "#world/suites/pick-place/things.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";

const suite = pickPlacePresets["pick-place"];
const draw = (seed: number, embodiment = "widowx", config = suite) =>
  drawInstance({ suite: config, embodiment, split: "train", seed });

describe("pick-place instances", () => {
  it("are the same for the same seed and other ones for other bodies", () => {
    expect(draw(3)).toEqual(draw(3));
    expect(new Set(["widowx", "panda", "hand"].map((id) => draw(3, id).hash)).size).toBe(3);
    expect(JSON.parse(JSON.stringify(draw(3)))).toEqual(draw(3));
  });

  it("leave room between things, keep them within reach and a drawer's way free", () => {
    for (let seed = 0; seed < 120; seed++) {
      const instance = draw(seed);
      const { objects, joints } = instance.initial as TabletopInitial;
      const goal = instance.goal as PickGoal;
      const cabinet = objects.find(({ id }) => id === "cabinet");
      expect("drawer" in joints).toBe(cabinet !== undefined);
      for (const [index, { id, position }] of objects.entries()) {
        expect(Math.abs(position[0])).toBeLessThanOrEqual(0.14);
        expect(Math.abs(position[1])).toBeLessThanOrEqual(0.095);
        if (cabinet && id !== "cabinet") expect(Math.abs(position[0] - cabinet.position[0])).toBeGreaterThan(0.09);
        for (const other of objects.slice(index + 1)) {
          if (id === "cabinet" || other.id === "cabinet") continue;
          const apart = Math.hypot(position[0] - other.position[0], position[1] - other.position[1]);
          const room = index === 0 ? 0.029 : 0.007;
          expect(apart).toBeGreaterThan(findThing(id).radiusM + findThing(other.id).radiusM + room);
        }
      }
      expect(objects.map(({ id }) => id)).toContain(goal.subject);
    }
  });

  it("start with a drawer that is shut when it is to be opened, and open when it is to be shut", () => {
    const only = (kind: string) =>
      parsePickPlaceConfig({ kinds: { ...Object.fromEntries(pickKinds.map((name) => [name, 0])), [kind]: 1 } });
    const drawer = (kind: string) => (draw(1, "panda", only(kind)).initial as TabletopInitial).joints.drawer!;
    expect(drawer("open-drawer")).toBe(0);
    expect(drawer("close-drawer")).toBeGreaterThan(0.06);
  });

  it("have disjoint hashes in all splits", () => {
    const hashes = splits.flatMap((split) =>
      Array.from({ length: 25 }, (_, seed) => drawInstance({ suite, embodiment: "hand", split, seed }).hash),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe("pick-place splits", () => {
  it("hold combinations out whose parts still occur in training", () => {
    for (const kind of pickKinds) {
      const every = pickCombinations(kind, suite);
      const trained = pickSplitContent(kind, "train", suite).combinations;
      const held = pickSplitContent(kind, "unseen-objects", suite).combinations;
      expect(trained.length + held.length).toBe(every.length);
      const key = ({ subject, target }: (typeof every)[number]) => `${subject.id} ${target?.id}`;
      const known = new Set(trained.map(key));
      for (const combination of held) expect(known).not.toContain(key(combination));
      const names = (some: typeof trained, role: "subject" | "target") => new Set(some.map((part) => part[role]?.id));
      // One container: which item is put into it is all that can be new.
      expect(names(trained, "target")).toEqual(names(every, "target"));
      if (kind !== "put-in") expect(names(trained, "subject")).toEqual(names(every, "subject"));
    }
  });

  it("hold phrasings out whose words all occur in training", () => {
    for (const kind of pickKinds) {
      const combination = pickCombinations(kind, suite)[0]!;
      const sentences = (heldOut: boolean) =>
        pickPhrasings(kind)
          .filter((how) => isHeldOutPhrasing(how) === heldOut)
          .map((how) => pickPhrase(kind, combination.subject, combination.target, how));
      expect(sentences(true).length).toBeGreaterThan(0);
      const words = new Set(sentences(false).flatMap((sentence) => sentence.split(" ")));
      for (const sentence of sentences(true)) {
        expect(sentences(false)).not.toContain(sentence);
        for (const word of sentence.split(" ")) expect(words).toContain(word);
      }
      for (const word of words) expect(pickVocabulary).toContain(word);
    }
  });

  it("write the sentences of SIMPLER", () => {
    const say = (kind: (typeof pickKinds)[number], subject: string, target?: string) =>
      pickPhrase(kind, findThing(subject), target ? findThing(target) : undefined, pickPhrasings(kind)[0]!);
    expect(say("stack", "green-cube", "yellow-cube")).toBe("stack the green block on the yellow block");
    expect(say("put-on", "carrot", "plate")).toBe("put the carrot on the plate");
    expect(say("put-in", "eggplant", "bowl")).toBe("put the eggplant in the bowl");
    expect(say("open-drawer", "cabinet")).toBe("open the drawer");
  });
});

describe("things", () => {
  it("rest on the table at half their height", () => {
    for (const { halfHeightM, radiusM } of thingKinds) {
      const position: Vector3 = [0, 0, halfHeightM];
      expect(position[2]).toBeLessThan(radiusM);
    }
  });

  it("are named when they are not known", () => {
    expect(() => findThing("teapot")).toThrow('things must be known, got "teapot"');
    expect(() => parsePickPlaceConfig({ distractors: 9 })).toThrow(/^suite: distractors/);
  });
});
