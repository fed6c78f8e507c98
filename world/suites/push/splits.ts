import { ConfigError } from "#core/errors.ts";
import { type BlockKind, blockKinds } from "../../tabletop/blocks.ts";
import { partOf, type Split } from "../split.ts";
import type { PushConfig, TaskKind } from "./config.ts";
import {
  type Arguments,
  type Direction,
  directionNames,
  isHeldOutPhrasing,
  type Phrasing,
  type Place,
  phrasings,
  placeNames,
} from "./grammar.ts";

/** One combination of objects, and whether it is held out. */
export type Combination = Arguments & { readonly heldOut: boolean };

/**
 * All combinations of a kind. Every fourth is held out along a diagonal, so each block, place and direction still occurs
 * in training in every role.
 */
export function combinations(kind: TaskKind, config: PushConfig): Combination[] {
  const blocks = blockKinds.slice(0, config.blocks);
  const subjects = chosen(blocks, config.subjects, "subjects");
  const references = chosen(blocks, config.references, "references");
  const heldOut = (code: number) => config.holdOut && code % 4 === 3;
  const number = (block: BlockKind) => blocks.indexOf(block);
  const pairs = subjects.flatMap((subject) =>
    references.filter((reference) => reference !== subject).map((reference) => ({ subject, reference })),
  );
  switch (kind) {
    case "reach":
      return subjects.map((subject) => ({ subject, heldOut: false }));
    case "block-to-block":
    case "separate":
      return pairs.map((pair) => ({ ...pair, heldOut: heldOut(2 * number(pair.subject) + number(pair.reference)) }));
    case "block-to-place":
      return subjects.flatMap((subject) =>
        chosenPlaces(config).map((place) => ({
          subject,
          place,
          heldOut: heldOut(number(subject) + placeNames.indexOf(place)),
        })),
      );
    case "relative-move":
      return subjects.flatMap((subject) =>
        directionNames.map((direction, index) => ({ subject, direction, heldOut: heldOut(number(subject) + index) })),
      );
    case "block-to-relative-place":
      return pairs.flatMap((pair) =>
        directionNames.map((direction: Direction, index) => ({
          ...pair,
          direction,
          heldOut: heldOut(2 * number(pair.subject) + number(pair.reference) + index),
        })),
      );
  }
}

function chosen(blocks: readonly BlockKind[], ids: readonly string[], field: string): readonly BlockKind[] {
  if (ids.length === 0) return blocks;
  return ids.map((id) => {
    const block = blocks.find((candidate) => candidate.id === id);
    if (block) return block;
    throw new ConfigError(`suite: ${field} must name blocks on the table, got "${id}". Use ${listed(blocks)}.`);
  });
}

const listed = (blocks: readonly BlockKind[]) => blocks.map(({ id }) => id).join(", ");

function chosenPlaces(config: PushConfig): readonly Place[] {
  if (config.places.length === 0) return placeNames;
  return config.places.map((name) => {
    if ((placeNames as readonly string[]).includes(name)) return name as Place;
    throw new ConfigError(`suite: places must be known, got "${name}". Use ${placeNames.join(", ")}.`);
  });
}

/** What a split may ask of one kind. Empty lists: the split has nothing of this kind. */
export function splitContent(
  kind: TaskKind,
  split: Split,
  config: PushConfig,
): { readonly combinations: readonly Combination[]; readonly phrasings: readonly Phrasing[] } {
  const { newObjects, newPhrasing } = partOf(split);
  const all = phrasings(kind, config.blocks);
  const offered = config.phrasings === "one" ? all.slice(0, 1) : all;
  return {
    combinations: combinations(kind, config).filter(({ heldOut }) => heldOut === newObjects),
    phrasings: offered.filter((how) => (config.holdOut && isHeldOutPhrasing(how)) === newPhrasing),
  };
}
