import { multiplyQuaternions, normaliseQuaternion, type Quaternion, type Vector3 } from "#core/geometry/quaternion.ts";
import { hash32 } from "#core/rng.ts";
import type { Looks } from "../physics/read-scene.ts";

/** Slow tremble of a held camera: largest offset in metres and radians, and the seed of its path. */
type CameraShake = { readonly positionM: number; readonly angleRad: number; readonly seed: number };

export type InitialCamera = {
  readonly position: Vector3;
  readonly quaternion: Quaternion;
  readonly fovyDeg: number;
  readonly shake?: CameraShake;
};

/** Factors on what the scenery is made of; 1 is as designed. */
export type Dynamics = { readonly friction: number; readonly mass: number };

/** Something bumps into a free object: at the start of control step `step` it gets this velocity, m/s. */
export type Nudge = { readonly step: number; readonly object: string; readonly velocity: Vector3 };

/** `TaskInstance.initial` of every tabletop suite: all that decides an episode before the policy acts; plain JSON. */
export type TabletopInitial = {
  /** The embodiment's shape. */
  readonly variant: string;
  /** Free objects by name: centres in metres. */
  readonly objects: readonly { readonly id: string; readonly position: Vector3; readonly quaternion: Quaternion }[];
  /** Joints of the scenery (drawers) by name, metres or radians. */
  readonly joints: Readonly<Record<string, number>>;
  /** Where the tool starts, as the embodiment takes it: [x, y], or [x, y, z, yaw]. */
  readonly tip: readonly number[];
  readonly camera: InitialCamera;
  readonly looks: Looks;
  readonly dynamics: Dynamics;
  readonly nudges: readonly Nudge[];
};

const knotSteps = 4;

/** Smooth noise in [-1, 1]: random knots every 4 steps with a cubic between them. No state, so restoring costs nothing. */
function smoothNoise(seed: number, channel: number, step: number): number {
  const knot = (index: number) => hash32(`${seed}/${channel}/${index}`) / 2147483648 - 1;
  const index = Math.floor(step / knotSteps);
  const share = step / knotSteps - index;
  const eased = share * share * (3 - 2 * share);
  return knot(index) + eased * (knot(index + 1) - knot(index));
}

/** Where the camera is at a control step. */
export function cameraPoseAt(camera: InitialCamera, step: number): { position: Vector3; quaternion: Quaternion } {
  const { position, quaternion, shake } = camera;
  if (!shake) return { position, quaternion };
  const offset = (channel: number) => shake.positionM * smoothNoise(shake.seed, channel, step);
  const half = (channel: number) => (shake.angleRad / 2) * smoothNoise(shake.seed, channel, step);
  const turn = normaliseQuaternion([half(3), half(4), half(5), 1]);
  return {
    position: [position[0] + offset(0), position[1] + offset(1), position[2] + offset(2)],
    quaternion: multiplyQuaternions(quaternion, turn),
  };
}
