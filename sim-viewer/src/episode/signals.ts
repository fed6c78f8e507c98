import type { Scene } from "#world/scene/scene.ts";
import type { Series } from "./viewer-protocol.ts";

/** @file What the viewer reads out of names: which geom is the effector, which action numbers are a move in space. */

const effectorWords = ["effector", "pusher", "rod", "tool", "tip", "gripper", "finger", "palm", "hand"];

/**
 * Finds the geom whose path is drawn: by the first of the words above that a name holds; of several the shortest name
 * ("rod" before "rod cap").
 *
 * @returns its index, or -1 when no name tells
 */
export function findEffector({ geoms }: Scene): number {
  for (const word of effectorWords) {
    const named = geoms.filter(({ body, name }) => body !== 0 && name.toLowerCase().includes(word));
    const shortest = named.sort((left, right) => left.name.length - right.name.length)[0];
    if (shortest) return geoms.indexOf(shortest);
  }
  return -1;
}

/** Splits "observation.state.dx", "delta_x", "ee pos x" and the like into the words that carry meaning. */
const wordsOf = (name: string) => name.toLowerCase().split(/[^a-z0-9]+/);

/** Column of each axis in a list of names, e.g. `[0, 1, -1]` for `["dx", "dy", "grip"]`. */
export type AxisColumns = readonly [number, number, number];

function findAxis(names: readonly string[], words: readonly string[]): number {
  for (const word of words) {
    const index = names.findIndex((name) => wordsOf(name).at(-1) === word);
    if (index >= 0) return index;
  }
  return -1;
}

/**
 * Columns of a Cartesian move, and what its numbers are: metres per step ("dx"), metres per second ("vx"), or something
 * that the bare names "x, y" leave open.
 */
export type Move = { readonly columns: AxisColumns; readonly kind: "delta" | "velocity" | "unknown" };

/** Finds the move in action names; `null` unless both x and y are named (joint actions have no arrow). */
export function findMove(names: readonly string[]): Move | null {
  for (const [prefix, kind] of [
    ["d", "delta"],
    ["v", "velocity"],
    ["", "unknown"],
  ] as const) {
    const columns = ["x", "y", "z"].map((axis) => findAxis(names, [`${prefix}${axis}`]));
    if (columns[0]! >= 0 && columns[1]! >= 0) return { columns: columns as [number, number, number], kind };
  }
  return null;
}

/** A path of an end effector that a foreign data set's own column names give away. */
export type NamedPath = {
  readonly name: string;
  /** f32[T, 3] metres */
  readonly positions: Float32Array;
};

/**
 * Finds columns that hold positions x, y and z of an end effector among the state columns.
 *
 * Actions are left out: a command is not where the robot was.
 */
export function findPath(series: readonly Series[]): NamedPath | null {
  for (const { name, channels, values } of series) {
    if (name.startsWith("action")) continue;
    const [x, y, z] = ["x", "y", "z"].map((axis) => findAxis(channels, [axis, `p${axis}`])) as [number, number, number];
    if (x < 0 || y < 0 || z < 0) continue;
    const frames = values[x]?.length ?? 0;
    const positions = new Float32Array(frames * 3);
    for (let frame = 0; frame < frames; frame++) {
      [x, y, z].forEach((column, axis) => {
        positions[frame * 3 + axis] = values[column]?.[frame] ?? 0;
      });
    }
    return { name, positions };
  }
  return null;
}

/** Turns a row-major array f32[T, C] into the column lists that plots and JSON use. */
export function toSeries(name: string, channels: readonly string[], rows: ArrayLike<number>): Series {
  const width = channels.length;
  const frames = width === 0 ? 0 : Math.floor(rows.length / width);
  const values = channels.map((_, channel) =>
    Array.from({ length: frames }, (_unused, frame) => {
      const value = rows[frame * width + channel]!;
      return Number.isFinite(value) ? value : null;
    }),
  );
  return { name, channels, values };
}

/** Length of an episode's largest move as it is drawn, metres; the others keep their ratio to it. */
const longestM = 0.16;

/**
 * Makes the function that gives the arrow of a frame's action as a vector in metres, [0, 0, 0] where nothing moves.
 *
 * @param actions f32[T, width]
 */
export function makeArrows(
  actions: Float32Array,
  width: number,
  columns: AxisColumns,
): (frame: number) => readonly [number, number, number] {
  const frames = Math.floor(actions.length / width);
  const moveOf = (frame: number) =>
    columns.map((column) => (column < 0 ? 0 : (actions[frame * width + column] ?? 0))) as [number, number, number];
  let largest = 0;
  for (let frame = 0; frame < frames; frame++) largest = Math.max(largest, Math.hypot(...moveOf(frame)) || 0);
  const scale = largest > 0 && Number.isFinite(largest) ? longestM / largest : 0;
  return (frame) => {
    const [x, y, z] = moveOf(Math.min(frame, frames - 1));
    return [x * scale, y * scale, z * scale];
  };
}

/** The camera's own name: LeRobot puts every camera under `observation.images.`. */
export const cameraName = (feature: string) => feature.replace(/^observation\.images\./, "");
