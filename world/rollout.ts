import { Packr } from "msgpackr";
import type { TaskInstance, Verdict } from "#core/contracts/world.ts";
import { FormatError } from "#core/errors.ts";
import { quaternionFromMatrix } from "#core/geometry/quaternion.ts";
import { sha256 } from "#core/sha256.ts";
import type { RolloutLog } from "./scene/rollout-log.ts";
import type { Scene, ScenePose } from "./scene/scene.ts";

/** Collects what happens in one episode, frame by frame. */
export class RolloutRecorder {
  private readonly instance: TaskInstance;
  private readonly scene: Scene;
  private readonly actionNames: readonly string[];
  private readonly rateHz: number;
  private poses: ScenePose[] = [];
  private actions: Float32Array[] = [];
  private controls: Float64Array[] = [];

  constructor(instance: TaskInstance, scene: Scene, actionNames: readonly string[], rateHz: number) {
    this.instance = instance;
    this.scene = scene;
    this.actionNames = actionNames;
    this.rateHz = rateHz;
  }

  /** @param pose the world when the observation was taken @param action f32[A] as sent @param controls f64[U] */
  add(pose: ScenePose, action: Float32Array, controls: Float64Array): void {
    this.poses.push(pose);
    this.actions.push(action);
    this.controls.push(controls);
  }

  /** The log of the steps so far, with the present pose as last frame (its action is zero: none was sent). */
  finish(policyId: string, pose: ScenePose, verdict: Verdict, state: Float64Array): RolloutLog {
    const poses = [...this.poses, pose];
    const width = this.actionNames.length;
    const actions = new Float32Array(poses.length * width);
    for (const [row, action] of this.actions.entries()) actions.set(action, row * width);
    return {
      version: 1,
      instance: this.instance,
      policyId,
      rateHz: this.rateHz,
      frames: poses.length,
      scene: this.scene,
      geomPoses: packPoses(poses, (frame) => [frame.geomPositions, frame.geomRotations]),
      cameraPoses: packPoses(poses, (frame) => [frame.cameraPositions, frame.cameraRotations]),
      actions,
      actionNames: this.actionNames,
      controls: Float64Array.from(this.controls.flatMap((row) => [...row])),
      stateDigest: stateDigest(state),
      success: verdict.success,
      reasons: verdict.reasons,
      videos: {},
    };
  }

  snapshot() {
    return { poses: [...this.poses], actions: [...this.actions], controls: [...this.controls] };
  }

  restore({ poses, actions, controls }: ReturnType<RolloutRecorder["snapshot"]>): void {
    this.poses = [...poses];
    this.actions = [...actions];
    this.controls = [...controls];
  }
}

/** SHA-256 of the physics state's bytes: equal digest, equal world to the last bit. */
export function stateDigest(state: Float64Array): string {
  return sha256(new Uint8Array(state.buffer, state.byteOffset, state.byteLength));
}

type Part = readonly [ArrayLike<number>, ArrayLike<number>];

/** f32[T, N, 7]: position and quaternion [x, y, z, w] of N things over T frames. */
export function packPoses(poses: readonly ScenePose[], part: (pose: ScenePose) => Part): Float32Array {
  const count = poses.length === 0 ? 0 : part(poses[0]!)[0].length / 3;
  const packed = new Float32Array(poses.length * count * 7);
  let at = 0;
  for (const pose of poses) {
    const [positions, rotations] = part(pose);
    for (let index = 0; index < count; index++) {
      for (let axis = 0; axis < 3; axis++) packed[at++] = positions[3 * index + axis]!;
      for (const value of quaternionFromMatrix(rotations, 9 * index)) packed[at++] = value;
    }
  }
  return packed;
}

const packr = new Packr({ moreTypes: true, useRecords: false });

/** A rollout as MessagePack bytes (typed arrays by the msgpackr extension). */
export const encodeRollout = (log: RolloutLog): Uint8Array => packr.pack(log);

/** @throws FormatError when the bytes are not a whole rollout of version 1 */
export function decodeRollout(bytes: Uint8Array, path = "rollout"): RolloutLog {
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch (cause) {
    throw new FormatError(path, "must be a whole MessagePack rollout, got broken bytes. Write it again.", { cause });
  }
  const log = value as Partial<RolloutLog> | null;
  if (typeof log !== "object" || log === null || log.version !== 1) {
    throw new FormatError(path, `must be a rollout of version 1, got version ${log?.version}. Write it again.`);
  }
  const { frames, geomPoses, cameraPoses, actions, actionNames, scene } = log;
  const whole =
    typeof frames === "number" &&
    Array.isArray(scene?.geoms) &&
    Array.isArray(scene?.cameras) &&
    Array.isArray(actionNames) &&
    geomPoses?.length === frames * scene.geoms.length * 7 &&
    cameraPoses?.length === frames * scene.cameras.length * 7 &&
    actions?.length === frames * actionNames.length;
  if (!whole) throw new FormatError(path, "must hold as many poses and actions as frames. Write it again.");
  return log as RolloutLog;
}
