/** @file A Franka Emika Panda: origins, axes and limits of its public MJCF in MuJoCo Menagerie, in geoms of our own. */
import { type ChainJoint, composePoses, type KinematicChain, type Pose } from "#core/geometry/kinematics.ts";
import {
  multiplyQuaternions,
  type Quaternion,
  quaternionFromAxisAngle,
  type Vector3,
} from "#core/geometry/quaternion.ts";
import { element } from "../../physics/xml.ts";
import { chainBodies, chainServos, type Link, visible } from "../chain-model.ts";
import type { Embodiment } from "../embodiment.ts";
import { facingViewer } from "../wx250s.ts";
import { ArmCarrier } from "./arm-carrier.ts";
import { endEffectorDelta, GripperEffector, gripperLog } from "./gripper-effector.ts";
import { handBody, type Jaws, jawEquality, jawGeoms, jawServos } from "./jaws.ts";

const straight: Quaternion = [0, 0, 0, 1];
const back: Quaternion = [-Math.SQRT1_2, 0, 0, Math.SQRT1_2];
const forth: Quaternion = [Math.SQRT1_2, 0, 0, Math.SQRT1_2];

const joint = (
  number: number,
  position: Vector3,
  quaternion: Quaternion,
  low: number,
  high: number,
  velocityLimit: number,
): ChainJoint => ({
  name: `joint ${number}`,
  kind: "revolute",
  origin: { position, quaternion },
  axis: [0, 0, 1],
  low,
  high,
  velocityLimit,
});

export const pandaJaws: Jaws = { halfOpenM: 0.04, reachM: 0.103, padM: [0.006, 0.0105, 0.018], forceN: 12 };

/** The hand on the flange, turned by -45 degrees; its jaws move along what is Y in the public model. */
const mount: Pose = {
  position: [0, 0, 0.107],
  quaternion: multiplyQuaternions(
    quaternionFromAxisAngle([0, 0, 1], -Math.PI / 4),
    quaternionFromAxisAngle([0, 0, 1], -Math.PI / 2),
  ),
};

export const pandaChain: KinematicChain = {
  worldFromBase: { position: [0, 0.55, 0], quaternion: facingViewer },
  joints: [
    joint(1, [0, 0, 0.333], straight, -2.8973, 2.8973, 2.175),
    joint(2, [0, 0, 0], back, -1.7628, 1.7628, 2.175),
    joint(3, [0, -0.316, 0], forth, -2.8973, 2.8973, 2.175),
    joint(4, [0.0825, 0, 0], forth, -3.0718, -0.0698, 2.175),
    joint(5, [-0.0825, 0.384, 0], back, -2.8973, 2.8973, 2.61),
    joint(6, [0, 0, 0], forth, -0.0175, 3.7525, 2.61),
    joint(7, [0.088, 0, 0], forth, -2.8973, 2.8973, 2.61),
  ],
  tip: composePoses(mount, { position: [0, 0, pandaJaws.reachM], quaternion: straight }),
};

const links: readonly Link[] = [
  {
    massKg: 3,
    centre: [0, 0, -0.05],
    geoms: [
      visible("column", "cylinder", 0.06, [0, 0, -0.19], [0, 0, -0.02]),
      visible("shoulder hub", "capsule", 0.058, [0, -0.04, 0], [0, 0.04, 0]),
    ],
    servoInertia: 3,
  },
  {
    massKg: 1,
    centre: [0, -0.1, 0],
    geoms: [visible("upper arm", "capsule", 0.055, [0, -0.06, 0], [0, -0.2, 0])],
    servoInertia: 3,
  },
  {
    massKg: 2,
    centre: [0.03, 0, -0.05],
    geoms: [
      visible("upper elbow", "capsule", 0.052, [0, 0, -0.1], [0, 0, -0.02]),
      visible("elbow link", "capsule", 0.045, [0, 0, 0], [0.0825, 0, 0]),
    ],
    servoInertia: 1.5,
  },
  {
    massKg: 2,
    centre: [-0.05, 0.1, 0],
    geoms: [
      visible("elbow hub", "cylinder", 0.05, [0, 0, -0.06], [0, 0, 0.06]),
      visible("lower elbow", "capsule", 0.042, [0, 0, 0], [-0.0825, 0.08, 0]),
      visible("forearm", "capsule", 0.047, [-0.0825, 0.08, 0], [-0.0825, 0.25, 0]),
    ],
    servoInertia: 1.5,
  },
  {
    massKg: 1,
    centre: [0, 0, -0.05],
    geoms: [visible("lower forearm", "capsule", 0.043, [0, 0, -0.13], [0, 0, 0])],
    servoInertia: 0.4,
  },
  {
    massKg: 1,
    centre: [0.04, 0, 0],
    geoms: [
      visible("wrist hub", "cylinder", 0.046, [0, 0, -0.055], [0, 0, 0.055]),
      visible("wrist link", "capsule", 0.04, [0, 0, 0], [0.088, 0, 0]),
    ],
    servoInertia: 0.4,
  },
  {
    massKg: 0.7,
    centre: [0, 0, 0.06],
    geoms: [visible("flange", "cylinder", 0.042, [0, 0, 0.02], [0, 0, 0.1])],
    servoInertia: 0.15,
  },
];

const palm = [
  element("geom", { name: "palm", class: "visual", type: "box", size: [0.1, 0.03, 0.032], pos: [0, 0, 0.034] }),
];

export const panda: Embodiment = {
  id: "panda",
  variants: ["parallel jaws"],
  setting: "lab",
  recordsActions: true,
  paint: {
    shell: [
      "base",
      "column",
      "upper arm",
      "upper elbow",
      "lower elbow",
      "forearm",
      "lower forearm",
      "wrist link",
      "palm",
    ],
    joint: ["pedestal", "shoulder hub", "elbow hub", "elbow link", "wrist hub", "flange"],
    tool: jawGeoms,
  },
  space: endEffectorDelta,
  stateNames: [...pandaChain.joints.map(({ name }) => name), ...gripperLog],
  stateUnits: [...pandaChain.joints.map(() => "rad"), "m", "m", "m", "1", "1", "1", "1", "1"],
  logNames: gripperLog,
  cameras: ["front", "wrist"],
  model: () => ({
    bodies: chainBodies(
      pandaChain,
      links,
      [
        visible("pedestal", "cylinder", 0.12, [0, 0, -0.6], [0, 0, -0.01]),
        visible("base", "cylinder", 0.085, [0, 0, -0.01], [0, 0, 0.14]),
      ],
      handBody(pandaJaws, mount, palm),
    ),
    actuators: chainServos(pandaChain, links) + jawServos(pandaJaws),
    equalities: jawEquality,
  }),
  attach: (simulation) =>
    new GripperEffector(
      simulation,
      new ArmCarrier(simulation, pandaChain, [0, 0.2, 0, -2.2, 0, 2.4, Math.PI / 4]),
      pandaJaws,
    ),
};
