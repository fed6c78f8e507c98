import type { Pose } from "#core/geometry/kinematics.ts";
import { lookAt } from "#core/geometry/quaternion.ts";
import { element } from "../../physics/xml.ts";
import { placed } from "../chain-model.ts";

/**
 * Two parallel jaws. The hand's frame: +Z is where the gripper points, the jaws move along X, the tip is between the pads
 * at `reachM` along Z.
 */
export type Jaws = {
  /** Half the gap of the open jaws, metres. */
  readonly halfOpenM: number;
  readonly reachM: number;
  /** Half-sizes of a pad along X, Y and Z. */
  readonly padM: readonly [number, number, number];
  /** Strongest grip of each jaw, newtons. */
  readonly forceN: number;
};

export const jawNames = ["left jaw", "right jaw"] as const;
/** Geoms of plain jaws. */
export const jawGeoms = jawNames.flatMap((name) => [`${name} pad`, `${name} finger`]);

/** A camera beside the gripper that looks past the pads; up in its picture is the hand's +Y. */
const wristCamera = (reachM: number) => {
  const position = [0, 0.07, -0.01] as const;
  const [x, y, z, w] = lookAt(position, [0, 0, reachM + 0.03], [0, 1, 0]);
  return element("camera", { name: "wrist", pos: position, quat: [w, x, y, z], fovy: 65 });
};

function jaw(name: string, side: 1 | -1, { halfOpenM, reachM, padM }: Jaws, looks: readonly string[]): string {
  const [thick, wide, long] = padM;
  return element(
    "body",
    { name },
    element("inertial", { pos: [side * thick, 0, reachM], mass: 0.05, diaginertia: [2e-5, 2e-5, 2e-5] }),
    element("joint", { name, type: "slide", axis: [side, 0, 0], range: [0, halfOpenM], armature: 0.1 }),
    element("geom", {
      name: `${name} pad`,
      class: "effector",
      type: "box",
      size: padM,
      pos: [side * thick, 0, reachM],
      ...(looks.length > 0 ? { rgba: [0, 0, 0, 0] } : {}),
    }),
    ...(looks.length > 0
      ? looks
      : [
          element("geom", {
            name: `${name} finger`,
            class: "visual",
            type: "box",
            size: [0.8 * thick, 0.75 * wide, (reachM - long) / 2],
            pos: [side * (thick + 0.2 * thick), 0, (reachM - long) / 2],
          }),
        ]),
  );
}

/**
 * The hand with its jaws, to be put into the last link.
 *
 * @param mount the hand's frame in that link @param palm geoms of the hand itself
 * @param fingers geoms that stand for each jaw instead of plain fingers, in the jaw's frame
 */
export function handBody(
  jaws: Jaws,
  mount: Pose,
  palm: readonly string[],
  fingers: { readonly left: readonly string[]; readonly right: readonly string[] } = { left: [], right: [] },
  camera = true,
): string {
  return element(
    "body",
    { name: "gripper", ...placed(mount), gravcomp: 1 },
    ...palm,
    camera ? wristCamera(jaws.reachM) : "",
    element("site", { name: "tip", pos: [0, 0, jaws.reachM] }),
    jaw(jawNames[0], -1, jaws, fingers.left),
    jaw(jawNames[1], 1, jaws, fingers.right),
  );
}

/** Both jaws move alike: what is held stays in the middle. */
export const jawEquality = element("joint", { joint1: jawNames[0], joint2: jawNames[1], polycoef: [0, 1, 0, 0, 0] });

export const jawServos = ({ forceN }: Jaws): string =>
  jawNames
    .map((name) => element("position", { name, joint: name, kp: 900, kv: 40, forcerange: [-forceN, forceN] }))
    .join("");
