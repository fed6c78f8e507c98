import type { StateLog } from "#core/contracts/world.ts";
import type { Pose } from "#core/geometry/kinematics.ts";
import type { Quaternion, Vector3 } from "#core/geometry/quaternion.ts";
import type { Point, TableTruth } from "../suite.ts";
import type { PickKind } from "./config.ts";
import { drawerJoint } from "./things.ts";

/** `TaskInstance.goal` of the pick-place suite; plain JSON. */
export type PickGoal = {
  readonly kind: PickKind;
  /** What is to be moved: an item, or the cabinet whose drawer it is. */
  readonly subject: string;
  /** On, in or near what. */
  readonly target?: string;
  readonly holdSteps: number;
  readonly maxSteps: number;
};

/** Where everything truly is at one control step. */
export type PickTruth = TableTruth & {
  readonly tool: Pose;
  /** How far open the jaws are, in [0, 1]. */
  readonly opening: number;
  readonly things: Readonly<Record<string, Pose>>;
  /** How far the drawer is out, metres; 0 without one. */
  readonly drawerM: number;
};

/** Reads a state log's row. */
export function readPickTruth(log: StateLog, row: number): PickTruth {
  const values = log.rows[row]!;
  const { things, drawer } = columnsOf(log.names);
  const [x, y, z, qx, qy, qz, qw, opening] = values;
  const poses: Record<string, Pose> = {};
  const blocks: Record<string, Point> = {};
  for (const [id, at] of things) {
    const position: Vector3 = [values[at]!, values[at + 1]!, values[at + 2]!];
    // MuJoCo writes quaternions with w first.
    const quaternion: Quaternion = [values[at + 4]!, values[at + 5]!, values[at + 6]!, values[at + 3]!];
    poses[id] = { position, quaternion };
    blocks[id] = [position[0], position[1]];
  }
  return {
    tip: [x!, y!],
    blocks,
    tool: { position: [x!, y!, z!], quaternion: [qx!, qy!, qz!, qw!] },
    opening: opening!,
    things: poses,
    drawerM: drawer < 0 ? 0 : values[drawer]!,
  };
}

type Columns = { readonly things: readonly (readonly [id: string, column: number])[]; readonly drawer: number };

const knownColumns = new WeakMap<readonly string[], Columns>();

function columnsOf(names: readonly string[]): Columns {
  const known = knownColumns.get(names);
  if (known) return known;
  const things = names.flatMap((name, column) =>
    name.endsWith(" x") && name !== "tip x" ? [[name.slice(0, -2), column] as const] : [],
  );
  const columns = { things, drawer: names.indexOf(drawerJoint) };
  knownColumns.set(names, columns);
  return columns;
}
