/** @file Where things are gripped, carried and put down; the expert's geometry. */
import type { Pose } from "#core/geometry/kinematics.ts";
import { quaternionFromAxisAngle, rotate, type Vector3 } from "#core/geometry/quaternion.ts";
import { arcTangent2, cosine, sine } from "#core/geometry/trigonometry.ts";
import type { PickGoal, PickTruth } from "./goal.ts";
import { findThing } from "./things.ts";

/** The farthest from the middle that things are put down, metres. */
const areaM = { x: 0.14, y: 0.1 } as const;
export const rightAngle = Math.PI / 2;

export const difference = (a: Vector3, b: Vector3): Vector3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const planar = (a: Vector3, b: Vector3) => Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2);
export const distance = (a: Vector3, b: Vector3) => Math.sqrt(planar(a, b) ** 2 + (a[2] - b[2]) ** 2);

/** Angle about the vertical of a frame's X. */
export function yawOf({ quaternion }: Pose): number {
  const [x, y] = rotate(quaternion, [1, 0, 0]);
  return arcTangent2(y, x);
}

/** The angle that differs from `angle` by whole `periods` and is nearest to `near`. */
export const nearest = (angle: number, period: number, near: number) =>
  angle - period * Math.round((angle - near) / period);

/** Turn of the jaws for the subject: along its sides, as little as can be, and where the jaws have room. */
export function chooseGrip(goal: PickGoal, { things, tool }: PickTruth): number {
  const thing = things[goal.subject]!;
  const now = yawOf(tool);
  const side = yawOf(thing);
  const { grip } = findThing(goal.subject);
  const choices =
    grip === "across"
      ? [nearest(side + rightAngle, Math.PI, 0)]
      : [
          nearest(side, rightAngle, 0),
          nearest(side, rightAngle, 0) + rightAngle,
          nearest(side, rightAngle, 0) - rightAngle,
        ];
  const others = Object.entries(things).filter(([id]) => id !== goal.subject);
  const crowding = (yaw: number) => {
    const [x, y] = rotate(quaternionFromAxisAngle([0, 0, 1], yaw), [0.05, 0, 0]);
    const gaps = [1, -1].flatMap((jaw) =>
      others.map(
        ([id, { position }]) =>
          planar([thing.position[0] + jaw * x, thing.position[1] + jaw * y, 0], position) - findThing(id).radiusM,
      ),
    );
    return Math.max(0, 0.015 - Math.min(1, ...gaps));
  };
  const cost = (yaw: number) => 40 * crowding(yaw) + Math.abs(yaw) + 0.3 * Math.abs(yaw - now);
  return choices.reduce((best, yaw) => (cost(yaw) < cost(best) ? yaw : best));
}

/** Height of the tool on the way: what is carried passes over what stands at the target. */
export function carryHeight({ target }: PickGoal, { things, tool }: PickTruth, clearM: number): number {
  const place = things[target!]!.position[2] + findThing(target!).halfHeightM;
  // Never lower than it is: the way from lifting to carrying goes up only.
  return Math.max(0.1, place + clearM, Math.min(tool.position[2], 0.13));
}

/** Where the subject's centre is to be let go. */
export function putDown({ kind, subject, target }: PickGoal, { things }: PickTruth): Vector3 {
  const item = findThing(subject);
  const place = findThing(target!);
  const [x, y, z] = things[target!]!.position;
  const top = z + place.halfHeightM;
  if (kind === "put-in") return [x, y, top + item.halfHeightM - 0.004];
  if (kind !== "move-near") return [x, y, top + item.halfHeightM + 0.002];
  const [nearX, nearY] = besides(subject, target!, things);
  return [nearX, nearY, item.halfHeightM + 0.002];
}

/** Directions around a thing, every 30 degrees. */
const around = Array.from({ length: 12 }, (_, index) => (index * Math.PI) / 6);

/** The place beside the target that is nearest to the subject, on the table and free. */
function besides(subject: string, target: string, things: PickTruth["things"]): readonly [number, number] {
  const [x, y] = things[target]!.position;
  const from = things[subject]!.position;
  const item = findThing(subject);
  const reach = item.radiusM + findThing(target).radiusM + 0.012;
  const others = Object.entries(things).filter(([id]) => id !== subject && id !== target);
  const cost = (angle: number) => {
    const place: Vector3 = [x + reach * cosine(angle), y + reach * sine(angle), 0];
    const outside = Math.max(0, Math.abs(place[0]) - areaM.x, Math.abs(place[1]) - areaM.y);
    const overlap = others.map(
      ([id, { position }]) => item.radiusM + findThing(id).radiusM + 0.01 - planar(place, position),
    );
    return planar(place, from) + 20 * outside + 20 * Math.max(0, ...overlap);
  };
  const best = around.reduce((chosen, angle) => (cost(angle) < cost(chosen) ? angle : chosen));
  return [x + reach * cosine(best), y + reach * sine(best)];
}
