import type { Vector3 } from "#core/geometry/quaternion.ts";
import type { PickGoal, PickTruth } from "./goal.ts";
import { findThing } from "./things.ts";

/** What is still missing, or null when the condition holds. */
type Shortfall = string | null;

/** Jaws that are farther open than this, or this far away, hold nothing. */
const releasedOpening = 0.75;
const releasedM = 0.07;
/** A thing that moves farther than this in a control step is not at rest, metres. */
const restM = 0.008;

const onTopM = { aside: 0.024, height: 0.01 } as const;
const drawerM = { open: 0.075, shut: 0.015 } as const;
/** Largest gap between outlines that is near, metres. */
const nearM = 0.03;

const planar = (a: Vector3, b: Vector3) => Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2);
const apart = (a: Vector3, b: Vector3) => Math.sqrt(planar(a, b) ** 2 + (a[2] - b[2]) ** 2);
const millimetres = (lengthM: number) => `${Math.round(1000 * lengthM)} mm`;

/**
 * Judges one instant against the goal.
 *
 * @param before the control step before, to see whether things are at rest
 * @returns null when the condition holds, else one sentence
 */
export function pickShortfall(goal: PickGoal, before: PickTruth, now: PickTruth): Shortfall {
  const subject = now.things[goal.subject];
  const target = goal.target === undefined ? undefined : now.things[goal.target];
  if (!subject || (goal.target !== undefined && !target)) return "the goal names a thing that is not on the table";
  if (goal.kind === "open-drawer") {
    return now.drawerM >= drawerM.open ? null : `the drawer is only ${millimetres(now.drawerM)} open`;
  }
  if (goal.kind === "close-drawer") {
    return now.drawerM <= drawerM.shut ? null : `the drawer is still ${millimetres(now.drawerM)} open`;
  }
  return (
    placeShortfall(goal, subject.position, target!.position) ??
    (isHeld(now, subject.position) ? `the ${findThing(goal.subject).noun} is still held` : null) ??
    (apart(subject.position, before.things[goal.subject]!.position) > restM
      ? `the ${findThing(goal.subject).noun} still moves`
      : null)
  );
}

const isHeld = ({ tool, opening }: PickTruth, subject: Vector3) =>
  opening < releasedOpening && apart(tool.position, subject) < releasedM;

function placeShortfall(goal: PickGoal, subject: Vector3, target: Vector3): Shortfall {
  const [item, place] = [findThing(goal.subject), findThing(goal.target!)];
  const aside = planar(subject, target);
  const away = `the ${item.noun} is ${millimetres(aside)} from the ${place.noun}`;
  const above = subject[2] - target[2];
  switch (goal.kind) {
    case "stack": {
      if (aside > onTopM.aside) return away;
      const wanted = item.halfHeightM + place.halfHeightM;
      return Math.abs(above - wanted) <= onTopM.height ? null : `the ${item.noun} is not on the ${place.noun}`;
    }
    case "put-on": {
      // Its centre must be over the surface, and it must lie on it.
      if (aside > place.radiusM - 0.012) return away;
      const clear = above - item.halfHeightM - place.halfHeightM;
      return clear >= -0.006 && clear <= 0.02 ? null : `the ${item.noun} does not lie on the ${place.noun}`;
    }
    case "put-in":
      if (aside > place.radiusM - 0.012) return away;
      return above <= place.halfHeightM + 0.012 ? null : `the ${item.noun} is not in the ${place.noun}`;
    default: {
      const gap = aside - item.radiusM - place.radiusM;
      if (gap > nearM) return `the ${item.noun} is ${millimetres(gap)} from the ${place.noun}`;
      return subject[2] <= item.halfHeightM + 0.012 ? null : `the ${item.noun} is not on the table`;
    }
  }
}
