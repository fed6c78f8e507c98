import type { Pose } from "#core/geometry/kinematics.ts";
import { lookAt } from "#core/geometry/quaternion.ts";
import { element } from "../../physics/xml.ts";
import { chainBodies, chainServos, type Link, placed, visible } from "../chain-model.ts";
import type { EmbodimentModel } from "../embodiment.ts";
import { armChain, toolLengthM } from "./chain.ts";

/** Radius of the rod that pushes, metres. */
export const toolRadiusM = 0.016;

/** Geoms by the material that they share, for the looks. */
export const armShells = ["base", "turntable", "upper arm", "upper forearm", "lower forearm"] as const;
export const armJoints = ["pedestal", "shoulder hub", "elbow hub", "elbow link", "wrist hub", "flange"] as const;

const after = (joint: number) => armChain.joints[joint]!.origin.position;

/** What each joint moves, from the waist to the wrist. Only the rod touches blocks. */
const links: readonly Link[] = [
  {
    massKg: 1.2,
    centre: [0, 0, 0.03],
    geoms: [visible("turntable", "cylinder", 0.07, [0, 0, -0.02], [0, 0, 0.05])],
    servoInertia: 1.5,
  },
  {
    massKg: 1.4,
    centre: [0.03, 0, 0.25],
    geoms: [
      visible("shoulder hub", "cylinder", 0.05, [0, -0.065, 0], [0, 0.065, 0]),
      visible("upper arm", "capsule", 0.038, [0, 0, 0.02], [0, 0, after(2)[2]]),
      visible("elbow link", "capsule", 0.034, [0, 0, after(2)[2]], after(2)),
    ],
    servoInertia: 1.5,
  },
  {
    massKg: 0.6,
    centre: [0.15, 0, 0],
    geoms: [
      visible("elbow hub", "cylinder", 0.044, [0, -0.055, 0], [0, 0.055, 0]),
      visible("upper forearm", "capsule", 0.03, [0, 0, 0], after(3)),
    ],
    servoInertia: 0.7,
  },
  {
    massKg: 0.3,
    centre: [0.05, 0, 0],
    geoms: [visible("lower forearm", "capsule", 0.025, [0, 0, 0], after(4))],
    servoInertia: 0.1,
  },
  {
    massKg: 0.3,
    centre: [0.04, 0, 0],
    geoms: [
      visible("wrist hub", "cylinder", 0.03, [0, -0.038, 0], [0, 0.038, 0]),
      visible("flange", "capsule", 0.021, [0, 0, 0], after(5)),
    ],
    servoInertia: 0.1,
  },
  {
    massKg: 0.25,
    centre: [0.08, 0, 0],
    geoms: [
      visible("rod cap", "cylinder", toolRadiusM + 0.006, [0.02, 0, 0], [0.05, 0, 0]),
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

/** Looks along the rod from in front of it; up in its picture is away from the base. */
const cameraPose: Pose = { position: [0, 0, 0.09], quaternion: lookAt([0, 0, 0.09], [toolLengthM + 0.05, 0, 0.01]) };
const wristCamera = element("camera", { name: "wrist", ...placed(cameraPose), fovy: 65 });

/** The arm as MJCF, bodies and joints from `armChain`. */
export const armModel: EmbodimentModel = {
  bodies: chainBodies(
    armChain,
    links,
    [
      visible("pedestal", "cylinder", 0.1, [0, 0, -0.6], [0, 0, -0.01]),
      visible("base", "cylinder", 0.09, [0, 0, -0.01], [0, 0, 0.1]),
    ],
    element("site", { name: "tip", ...placed(armChain.tip) }) + wristCamera,
  ),
  actuators: chainServos(armChain, links),
};
