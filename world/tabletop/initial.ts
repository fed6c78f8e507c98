import { multiplyQuaternions, normaliseQuaternion, type Quaternion, type Vector3 } from "#core/geometry/quaternion.ts";
import { hash32 } from "#core/rng.ts";
import type { Looks } from "../physics/read-scene.ts";

/** Slow tremble of a held camera: largest offset in metres and radians, and the seed of its path. */
export type CameraShake = { readonly positionM: number; readonly angleRad: number; readonly seed: number };

export type InitialCamera = {
  readonly position: Vector3;
  readonly quaternion: Quaternion;
  readonly fovyDeg: number;
  readonly shake?: CameraShake;
};

/** `TaskInstance.initial` of every tabletop suite: all that decides an episode before the policy acts; plain JSON. */
export type TabletopInitial = {
  /** The embodiment's shape. */
  readonly variant: string;
  readonly blocks: readonly {
    readonly id: string;
    readonly position: readonly [number, number];
    readonly quaternion: Quaternion;
  }[];
  readonly tip: readonly [number, number];
  readonly camera: InitialCamera;
  readonly looks: Looks;
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
