import { rotate } from "#core/geometry/quaternion.ts";
import type { PredictedChunks, RolloutLog } from "#world/scene/rollout-log.ts";
import type { Geom } from "#world/scene/scene.ts";
import { type FrameTime, poseSize, positionsOf } from "./poses.ts";
import { findEffector, findMove } from "./signals.ts";

/**
 * @file Where an effector has been, where it goes next and where the policy meant it to go, as polylines in metres. The
 * 3-D view and the camera pictures draw the same points.
 */

/** How far ahead the coming path is drawn, seconds. */
export const aheadS = 2;

/** The traces of one episode. */
export type Traces = {
  /** f32[T, 3] metres: the effector, frame by frame */
  readonly positions: Float32Array;
  readonly rateHz: number;
  /** f32[L + 1, 3]: from where the effector was when the newest chunk was asked for; `null` where none is known */
  predicted(frame: number): Float32Array | null;
  readonly hasPredictions: boolean;
};

/** Half of how far a geom that stands upright reaches along Z, metres. */
export function halfHeight({ type, size: [a = 0, b = 0, c = 0] }: Geom): number {
  return { plane: 0, sphere: a, capsule: a + b, cylinder: b, box: c, mesh: 0 }[type];
}

/** f32[T, 3]: the lower end of an effector whose actions move it in the plane (rods push with it), else its centre. */
function effectorPath(log: RolloutLog, effector: number, isPlanar: boolean): Float32Array {
  const { geoms } = log.scene;
  const positions = positionsOf(log.geomPoses, geoms.length, effector);
  if (!isPlanar) return positions;
  const along = [0, 0, halfHeight(geoms[effector]!)] as const;
  for (let frame = 0; frame < log.frames; frame++) {
    const pose = (frame * geoms.length + effector) * poseSize;
    const [x, y, z, w] = log.geomPoses.subarray(pose + 3, pose + poseSize);
    const end = rotate([x!, y!, z!, w!], along);
    const sign = end[2] > 0 ? -1 : 1;
    for (let axis = 0; axis < 3; axis++) positions[3 * frame + axis] = positions[3 * frame + axis]! + sign * end[axis]!;
  }
  return positions;
}

/** The newest chunk that was asked for at or before this frame; -1 before the first. */
export function chunkAt(chunks: PredictedChunks, frame: number): number {
  let found = -1;
  while (found + 1 < chunks.frames.length && chunks.frames[found + 1]! <= frame) found++;
  return found;
}

/** Finds the effector of a rollout and what is known about its way; `null` when no name gives the effector away. */
export function rolloutTraces(log: RolloutLog): Traces | null {
  const effector = findEffector(log.scene);
  if (effector < 0) return null;
  const move = findMove(log.actionNames);
  const positions = effectorPath(log, effector, move !== null && move.columns[2] < 0);
  const { chunks } = log;
  const scale = move?.kind === "velocity" ? 1 / log.rateHz : 1;
  // Absolute targets and bare "x, y" say nothing certain about the next metre, so no path is drawn for them.
  const hasPredictions = chunks !== undefined && move !== null && move.kind !== "unknown";
  const width = log.actionNames.length;
  return {
    positions,
    rateHz: log.rateHz,
    hasPredictions,
    predicted(frame) {
      const chunk = hasPredictions ? chunkAt(chunks, frame) : -1;
      if (chunk < 0) return null;
      const { length, frames, actions } = chunks!;
      const path = new Float32Array((length + 1) * 3);
      path.set(positions.subarray(3 * frames[chunk]!, 3 * frames[chunk]! + 3));
      for (let row = 0; row < length; row++) {
        const source = (chunk * length + row) * width;
        for (let axis = 0; axis < 3; axis++) {
          const column = move!.columns[axis]!;
          const step = column < 0 ? 0 : actions[source + column]! * scale;
          path[3 * (row + 1) + axis] = path[3 * row + axis]! + step;
        }
      }
      return path;
    },
  };
}

const lastOf = (positions: Float32Array) => Math.max(positions.length / 3 - 1, 0);

/** The interpolated position at one instant, written to `out` from `offset` on. */
export function positionAt(positions: Float32Array, at: FrameTime, out: Float32Array, offset = 0): void {
  const from = 3 * Math.min(at.frame, lastOf(positions));
  const to = 3 * Math.min(at.frame + 1, lastOf(positions));
  for (let axis = 0; axis < 3; axis++) {
    const start = positions[from + axis] ?? 0;
    out[offset + axis] = start + at.fraction * ((positions[to + axis] ?? 0) - start);
  }
}

/**
 * Cuts the polyline between two instants out of a path: all frames strictly between them, and both interpolated ends.
 *
 * @param positions f32[T, 3]
 * @param out       f32[at least 3 * (T + 2)], written from 0 on
 * @returns how many points were written
 */
export function pathBetween(positions: Float32Array, from: FrameTime, to: FrameTime, out: Float32Array): number {
  const last = lastOf(positions);
  positionAt(positions, from, out);
  let count = 1;
  for (let frame = from.frame + 1; frame <= Math.min(to.frame, last); frame++) {
    if (frame === to.frame && to.fraction === 0) break;
    out.set(positions.subarray(3 * frame, 3 * frame + 3), 3 * count++);
  }
  positionAt(positions, to, out, 3 * count);
  return count + 1;
}
