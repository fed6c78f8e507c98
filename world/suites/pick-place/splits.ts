import { partOf, type Split } from "../split.ts";
import type { PickKind, PickPlaceConfig } from "./config.ts";
import { isHeldOutPhrasing, type PickPhrasing, pickPhrasings } from "./grammar.ts";
import { type ThingKind, thingKinds } from "./things.ts";

export type PickCombination = {
  readonly subject: ThingKind;
  readonly target?: ThingKind;
  readonly heldOut: boolean;
};

const withRole = (role: ThingKind["role"]) => thingKinds.filter((kind) => kind.role === role);

/**
 * All combinations of a kind. Every fourth is held out along a diagonal, so each thing still occurs in training in every
 * role.
 */
export function pickCombinations(kind: PickKind, { holdOut }: PickPlaceConfig): PickCombination[] {
  const items = withRole("item");
  const cubes = items.filter(({ grip }) => grip === "any");
  const crossed = (subjects: readonly ThingKind[], targets: readonly ThingKind[]) =>
    subjects.flatMap((subject, row) =>
      targets
        .map((target, column) => ({ subject, target, heldOut: holdOut && (2 * row + column) % 4 === 3 }))
        .filter(({ target }) => target !== subject),
    );
  switch (kind) {
    case "stack":
      return crossed(cubes, cubes);
    case "put-on":
      // Two surfaces: the diagonal of fours would leave one of them out.
      return items.flatMap((subject, row) =>
        withRole("surface").map((target, column) => ({
          subject,
          target,
          heldOut: holdOut && (row + 3 * column) % 6 >= 4,
        })),
      );
    case "put-in":
      return items.map((subject, row) => ({
        subject,
        target: withRole("container")[0]!,
        heldOut: holdOut && row % 4 === 3,
      }));
    case "move-near":
      return crossed(items, items);
    default:
      return [{ subject: withRole("furniture")[0]!, heldOut: false }];
  }
}

/** What a split may ask of one kind. Empty lists: the split has nothing of this kind. */
export function pickSplitContent(
  kind: PickKind,
  split: Split,
  config: PickPlaceConfig,
): { readonly combinations: readonly PickCombination[]; readonly phrasings: readonly PickPhrasing[] } {
  const { newObjects, newPhrasing } = partOf(split);
  const all = pickPhrasings(kind);
  const offered = config.phrasings === "one" ? all.slice(0, 1) : all;
  return {
    combinations: pickCombinations(kind, config).filter(({ heldOut }) => heldOut === newObjects),
    phrasings: offered.filter((how) => (config.holdOut && isHeldOutPhrasing(how)) === newPhrasing),
  };
}
