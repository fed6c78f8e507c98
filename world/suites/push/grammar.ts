/**
 * @file The sentences of the push suite: a fixed small vocabulary. A phrasing is a verb, a sentence form and a way to name
 * blocks ("red block" or "red cylinder"). Held-out phrasings are new combinations of words that all occur in training.
 */

import { type BlockKind, blockKinds } from "../../tabletop/blocks.ts";
import type { TaskKind } from "./config.ts";

export const directions = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, 1],
  down: [0, -1],
  "up and left": [-Math.SQRT1_2, Math.SQRT1_2],
  "up and right": [Math.SQRT1_2, Math.SQRT1_2],
  "down and left": [-Math.SQRT1_2, -Math.SQRT1_2],
  "down and right": [Math.SQRT1_2, -Math.SQRT1_2],
} as const satisfies Record<string, readonly [number, number]>;
export type Direction = keyof typeof directions;
export const directionNames = Object.keys(directions) as readonly Direction[];

/** Edges and corners as seen by the camera, each by the sides it lies on; the centre lies on none. */
export const places = {
  "left edge": [-1, 0],
  "right edge": [1, 0],
  "top edge": [0, 1],
  "bottom edge": [0, -1],
  "top left corner": [-1, 1],
  "top right corner": [1, 1],
  "bottom left corner": [-1, -1],
  "bottom right corner": [1, -1],
  center: [0, 0],
} as const satisfies Record<string, readonly [number, number]>;
export type Place = keyof typeof places;
export const placeNames = Object.keys(places) as readonly Place[];

const relations: Readonly<Record<Direction, string>> = {
  left: "left of",
  right: "right of",
  up: "above",
  down: "below",
  "up and left": "above and left of",
  "up and right": "above and right of",
  "down and left": "below and left of",
  "down and right": "below and right of",
};

/** `{v}` verb, `{s}` subject, `{r}` reference, `{p}` place, `{d}` direction, `{n}` relation. */
const forms: Readonly<Record<TaskKind, { readonly verbs: readonly string[]; readonly forms: readonly string[] }>> = {
  reach: { verbs: ["move", "go", "slide", "come"], forms: ["{v} to the {s}", "{v} over to the {s}"] },
  "block-to-block": {
    verbs: ["push", "move", "slide", "bring"],
    forms: ["{v} the {s} to the {r}", "{v} the {s} next to the {r}"],
  },
  "block-to-place": {
    verbs: ["push", "move", "slide", "bring"],
    forms: ["{v} the {s} to the {p}", "{v} the {s} over to the {p}"],
  },
  "block-to-relative-place": {
    verbs: ["push", "move", "slide", "bring"],
    forms: ["{v} the {s} {n} the {r}", "{v} the {s} to the place {n} the {r}"],
  },
  "relative-move": { verbs: ["push", "move", "slide", "bring"], forms: ["{v} the {s} {d}", "{v} the {s} a bit {d}"] },
  separate: {
    verbs: ["push", "move", "slide", "bring"],
    forms: ["{v} the {s} away from the {r}", "{v} the {s} apart from the {r}"],
  },
};

export type Phrasing = { readonly verb: number; readonly form: number; readonly noun: "block" | "shape" };

/** All phrasings of a kind; with two blocks of one colour only the shape tells them apart. */
export function phrasings(kind: TaskKind, blocks: 4 | 8): Phrasing[] {
  const nouns = blocks === 4 ? (["block", "shape"] as const) : (["shape"] as const);
  return forms[kind].verbs.flatMap((_, verb) =>
    forms[kind].forms.flatMap((_form, form) => nouns.map((noun) => ({ verb, form, noun }))),
  );
}

/** A quarter of the phrasings; every verb, form and noun still occurs outside it. */
export const isHeldOutPhrasing = ({ verb, form, noun }: Phrasing) =>
  (verb + 2 * form + (noun === "shape" ? 1 : 0)) % 4 === 3;

export type Arguments = {
  readonly subject: BlockKind;
  readonly reference?: BlockKind;
  readonly place?: Place;
  readonly direction?: Direction;
};

/** Writes the sentence. */
export function phrase(kind: TaskKind, { subject, reference, place, direction }: Arguments, how: Phrasing): string {
  const name = (block: BlockKind) => `${block.colour} ${how.noun === "block" ? "block" : block.shape}`;
  const slots: Record<string, string | undefined> = {
    v: forms[kind].verbs[how.verb],
    s: name(subject),
    r: reference && name(reference),
    p: place,
    d: direction,
    n: direction && relations[direction],
  };
  return forms[kind].forms[how.form]!.replace(/\{(\w)\}/g, (_, slot: string) => slots[slot]!);
}

/** Every word that a push instruction can hold, sorted. */
export const pushVocabulary: readonly string[] = [
  ...new Set(
    [
      ...Object.values(forms).flatMap(({ verbs, forms: sentences }) => [
        ...verbs,
        ...sentences.map((sentence) => sentence.replace(/\{\w\}/g, " ")),
      ]),
      ...blockKinds.flatMap(({ colour, shape }) => [colour, shape]),
      "block",
      ...placeNames,
      ...directionNames,
      ...Object.values(relations),
    ].flatMap((text) => text.split(/\s+/).filter(Boolean)),
  ),
].sort();
