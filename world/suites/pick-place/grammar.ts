/**
 * @file The sentences of the pick-place suite. As in the push suite, a phrasing is a verb and a sentence form; held-out
 * phrasings are new combinations of words that all occur in training.
 */
import type { PickKind } from "./config.ts";
import { type ThingKind, thingKinds } from "./things.ts";

/** `{v}` verb, `{s}` what is moved, `{t}` where to. */
const forms: Readonly<Record<PickKind, { readonly verbs: readonly string[]; readonly forms: readonly string[] }>> = {
  stack: {
    verbs: ["stack", "put", "place", "set"],
    forms: ["{v} the {s} on the {t}", "{v} the {s} on top of the {t}"],
  },
  "put-on": { verbs: ["put", "place", "set", "lay"], forms: ["{v} the {s} on the {t}", "{v} the {s} onto the {t}"] },
  "put-in": { verbs: ["put", "place", "drop", "set"], forms: ["{v} the {s} in the {t}", "{v} the {s} into the {t}"] },
  "move-near": {
    verbs: ["move", "bring", "put", "carry"],
    forms: ["{v} the {s} near the {t}", "{v} the {s} close to the {t}"],
  },
  "open-drawer": { verbs: ["open", "pull"], forms: ["{v} the drawer", "{v} the wooden drawer"] },
  "close-drawer": { verbs: ["close", "shut"], forms: ["{v} the drawer", "{v} the wooden drawer"] },
};

export type PickPhrasing = { readonly verb: number; readonly form: number };

export const pickPhrasings = (kind: PickKind): PickPhrasing[] =>
  forms[kind].verbs.flatMap((_, verb) => forms[kind].forms.map((_form, form) => ({ verb, form })));

/** A quarter of the phrasings; every verb and form still occurs outside it. */
export const isHeldOutPhrasing = ({ verb, form }: PickPhrasing) => (verb + 2 * form) % 4 === 3;

/** Writes the sentence. */
export function pickPhrase(
  kind: PickKind,
  subject: ThingKind,
  target: ThingKind | undefined,
  how: PickPhrasing,
): string {
  const slots: Record<string, string | undefined> = {
    v: forms[kind].verbs[how.verb],
    s: subject.noun,
    t: target?.noun,
  };
  return forms[kind].forms[how.form]!.replace(/\{(\w)\}/g, (_, slot: string) => slots[slot]!);
}

/** Every word that a pick-place instruction can hold, sorted. */
export const pickVocabulary: readonly string[] = [
  ...new Set(
    [
      ...Object.values(forms).flatMap(({ verbs, forms: sentences }) => [
        ...verbs,
        ...sentences.map((sentence) => sentence.replace(/\{\w\}/g, " ")),
      ]),
      ...thingKinds.map(({ noun }) => noun),
    ].flatMap((text) => text.split(/\s+/).filter(Boolean)),
  ),
].sort();
