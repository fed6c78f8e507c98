/** @file Serial arms as MJCF: bodies and joints come from the chain, so that physics and kinematics cannot differ. */
import type { KinematicChain, Pose } from "#core/geometry/kinematics.ts";
import { element } from "../physics/xml.ts";

/** What one joint moves. */
export type Link = {
  readonly massKg: number;
  /** Where the mass is, in the joint's frame, metres. */
  readonly centre: readonly [number, number, number];
  /** MJCF geoms. */
  readonly geoms: readonly string[];
  /** Inertia that the joint's servo is tuned for, kg m^2: at least what it meets with the arm stretched. */
  readonly servoInertia: number;
};

type Point = readonly [number, number, number];

/** A geom that is only seen, between two points of its link. */
export const visible = (name: string, type: "capsule" | "cylinder", radius: number, from: Point, to: Point): string =>
  element("geom", { name, class: "visual", type, size: [radius], fromto: [...from, ...to] });

/** Attributes of a body or site that sits at a pose. */
export const placed = ({ position, quaternion: [x, y, z, w] }: Pose) => ({ pos: position, quat: [w, x, y, z] });

/** The chain as nested bodies on a fixed base. @param last what the last link carries besides its geoms */
export function chainBodies(
  chain: KinematicChain,
  links: readonly Link[],
  base: readonly string[],
  last: string,
): string {
  const moving = chain.joints.reduceRight((inner, joint, index) => {
    const { massKg, centre, geoms } = links[index]!;
    const inertia = 0.004 * massKg + 0.002;
    return element(
      "body",
      { name: joint.name, ...placed(joint.origin), gravcomp: 1 },
      element("inertial", { pos: centre, mass: massKg, diaginertia: [inertia, inertia, inertia] }),
      element("joint", {
        name: joint.name,
        type: joint.kind === "revolute" ? "hinge" : "slide",
        axis: joint.axis,
        range: [joint.low, joint.high],
        armature: 0.02,
      }),
      ...geoms,
      inner,
    );
  }, last);
  return element("body", { name: "arm base", ...placed(chain.worldFromBase) }, ...base, moving);
}

/**
 * Position servos, critically damped at 80 rad/s for the inertia they are tuned for: whatever the inertia really is, a
 * joint trails a moving target by kv / kp = 25 ms.
 */
export const chainServos = (chain: KinematicChain, links: readonly Link[]): string =>
  chain.joints
    .map(({ name }, index) => {
      const { servoInertia } = links[index]!;
      return element("position", { name, joint: name, kp: servoInertia * 80 * 80, kv: 2 * servoInertia * 80 });
    })
    .join("");
