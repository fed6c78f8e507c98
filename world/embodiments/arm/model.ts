import type { Pose } from "#core/geometry/kinematics.ts";
import { element } from "../../physics/xml.ts";
import type { EmbodimentModel } from "../embodiment.ts";
import { armChain, toolLengthM } from "./chain.ts";

/** Radius of the rod that pushes, metres. */
export const toolRadiusM = 0.016;

/** Geoms by the material that they share, for the looks. */
export const armShells = ["base", "turntable", "upper arm", "upper forearm", "lower forearm"] as const;
export const armJoints = ["pedestal", "shoulder hub", "elbow hub", "elbow link", "wrist hub", "flange"] as const;

type Link = {
  readonly massKg: number;
  /** Where the mass is, along the link. */
  readonly centre: readonly [number, number, number];
  readonly geoms: readonly string[];
  /** Inertia that the joint's servo is tuned for, kg m^2: at least what it meets with the arm stretched. */
  readonly servoInertia: number;
};

const capsule = (name: string, radius: number, from: readonly number[], to: readonly number[]) =>
  element("geom", { name, class: "visual", type: "capsule", size: [radius], fromto: [...from, ...to] });
const cylinder = (name: string, radius: number, from: readonly number[], to: readonly number[]) =>
  element("geom", { name, class: "visual", type: "cylinder", size: [radius], fromto: [...from, ...to] });

const after = (joint: number) => armChain.joints[joint]!.origin.position;

/** What each joint moves, from the waist to the wrist. Only the rod touches blocks. */
const links: readonly Link[] = [
  {
    massKg: 1.2,
    centre: [0, 0, 0.03],
    geoms: [cylinder("turntable", 0.07, [0, 0, -0.02], [0, 0, 0.05])],
    servoInertia: 1.5,
  },
  {
    massKg: 1.4,
    centre: [0.03, 0, 0.25],
    geoms: [
      cylinder("shoulder hub", 0.05, [0, -0.065, 0], [0, 0.065, 0]),
      capsule("upper arm", 0.038, [0, 0, 0.02], [0, 0, after(2)[2]]),
      capsule("elbow link", 0.034, [0, 0, after(2)[2]], after(2)),
    ],
    servoInertia: 1.5,
  },
  {
    massKg: 0.6,
    centre: [0.15, 0, 0],
    geoms: [
      cylinder("elbow hub", 0.044, [0, -0.055, 0], [0, 0.055, 0]),
      capsule("upper forearm", 0.03, [0, 0, 0], after(3)),
    ],
    servoInertia: 0.7,
  },
  {
    massKg: 0.3,
    centre: [0.05, 0, 0],
    geoms: [capsule("lower forearm", 0.025, [0, 0, 0], after(4))],
    servoInertia: 0.1,
  },
  {
    massKg: 0.3,
    centre: [0.04, 0, 0],
    geoms: [cylinder("wrist hub", 0.03, [0, -0.038, 0], [0, 0.038, 0]), capsule("flange", 0.021, [0, 0, 0], after(5))],
    servoInertia: 0.1,
  },
  {
    massKg: 0.25,
    centre: [0.08, 0, 0],
    geoms: [
      cylinder("rod cap", toolRadiusM + 0.006, [0.02, 0, 0], [0.05, 0, 0]),
      element("geom", {
        name: "rod",
        class: "effector",
        type: "cylinder",
        size: [toolRadiusM],
        fromto: [0.05, 0, 0, toolLengthM, 0, 0],
      }),
    ],
    servoInertia: 0.05,
  },
];

const pose = ({ position, quaternion: [x, y, z, w] }: Pose) => ({ pos: position, quat: [w, x, y, z] });

function body(index: number): string {
  const joint = armChain.joints[index];
  const link = links[index];
  if (!joint || !link) return element("site", { name: "tip", ...pose(armChain.tip) });
  const inertia = 0.004 * link.massKg + 0.002;
  return element(
    "body",
    { name: joint.name, ...pose(joint.origin), gravcomp: 1 },
    element("inertial", { pos: link.centre, mass: link.massKg, diaginertia: [inertia, inertia, inertia] }),
    element("joint", {
      name: joint.name,
      type: "hinge",
      axis: joint.axis,
      range: [joint.low, joint.high],
      armature: 0.02,
    }),
    ...link.geoms,
    body(index + 1),
  );
}

/**
 * Position servos, critically damped at 80 rad/s for the inertia they are tuned for, as the pusher's: whatever the
 * inertia really is, a joint trails a moving target by kv / kp = 25 ms.
 */
const servo = (joint: string, inertia: number) =>
  element("position", { name: joint, joint, kp: inertia * 80 * 80, kv: 2 * inertia * 80 });

/** The arm as MJCF, bodies and joints from `armChain`. */
export const armModel: EmbodimentModel = {
  bodies: element(
    "body",
    { name: "arm base", ...pose(armChain.worldFromBase) },
    cylinder("pedestal", 0.1, [0, 0, -0.6], [0, 0, -0.01]),
    cylinder("base", 0.09, [0, 0, -0.01], [0, 0, 0.1]),
    body(0),
  ),
  actuators: armChain.joints.map(({ name }, index) => servo(name, links[index]!.servoInertia)).join(""),
};
