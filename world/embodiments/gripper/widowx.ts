import { composePoses, type KinematicChain, type Pose } from "#core/geometry/kinematics.ts";
import { element } from "../../physics/xml.ts";
import { chainBodies, chainServos, type Link, visible } from "../chain-model.ts";
import type { Embodiment } from "../embodiment.ts";
import { facingViewer, wx250sJoints } from "../wx250s.ts";
import { ArmCarrier } from "./arm-carrier.ts";
import { endEffectorDelta, GripperEffector, gripperLog } from "./gripper-effector.ts";
import { handBody, type Jaws, jawEquality, jawGeoms, jawServos } from "./jaws.ts";

export const widowxJaws: Jaws = { halfOpenM: 0.034, reachM: 0.09, padM: [0.005, 0.011, 0.016], forceN: 14 };

/** The hand in the last link: +Z along the link's +X, jaws along its Y. */
const mount: Pose = { position: [0.035, 0, 0], quaternion: [0.5, 0.5, 0.5, 0.5] };

/** A WidowX 250 S at its true size, behind the table. */
export const widowxChain: KinematicChain = {
  worldFromBase: { position: [0, 0.29, 0], quaternion: facingViewer },
  joints: wx250sJoints(1),
  tip: composePoses(mount, { position: [0, 0, widowxJaws.reachM], quaternion: [0, 0, 0, 1] }),
};

const after = (joint: number) => widowxChain.joints[joint]!.origin.position;

const links: readonly Link[] = [
  {
    massKg: 0.5,
    centre: [0, 0, 0.02],
    geoms: [visible("turntable", "cylinder", 0.045, [0, 0, -0.02], [0, 0, 0.025])],
    servoInertia: 0.5,
  },
  {
    massKg: 0.5,
    centre: [0.02, 0, 0.15],
    geoms: [
      visible("shoulder hub", "cylinder", 0.03, [0, -0.042, 0], [0, 0.042, 0]),
      visible("upper arm", "capsule", 0.024, [0, 0, 0.01], [0, 0, after(2)[2]]),
      visible("elbow link", "capsule", 0.022, [0, 0, after(2)[2]], after(2)),
    ],
    servoInertia: 0.5,
  },
  {
    massKg: 0.25,
    centre: [0.09, 0, 0],
    geoms: [
      visible("elbow hub", "cylinder", 0.027, [0, -0.036, 0], [0, 0.036, 0]),
      visible("upper forearm", "capsule", 0.019, [0, 0, 0], after(3)),
    ],
    servoInertia: 0.25,
  },
  {
    massKg: 0.2,
    centre: [0.03, 0, 0],
    geoms: [visible("lower forearm", "capsule", 0.017, [0, 0, 0], after(4))],
    servoInertia: 0.05,
  },
  {
    massKg: 0.1,
    centre: [0.03, 0, 0],
    geoms: [
      visible("wrist hub", "cylinder", 0.02, [0, -0.026, 0], [0, 0.026, 0]),
      visible("flange", "capsule", 0.015, [0, 0, 0], after(5)),
    ],
    servoInertia: 0.05,
  },
  { massKg: 0.1, centre: [0.03, 0, 0], geoms: [], servoInertia: 0.03 },
];

const palm = [
  element("geom", { name: "palm", class: "visual", type: "box", size: [0.045, 0.016, 0.012], pos: [0, 0, 0.008] }),
  element("geom", { name: "carriage", class: "visual", type: "cylinder", size: [0.02, 0.02], pos: [0, 0, -0.022] }),
];

export const widowx: Embodiment = {
  id: "widowx",
  variants: ["parallel jaws"],
  setting: "lab",
  recordsActions: true,
  paint: {
    shell: ["base", "turntable", "upper arm", "upper forearm", "lower forearm", "palm"],
    joint: ["pedestal", "shoulder hub", "elbow hub", "elbow link", "wrist hub", "flange", "carriage"],
    tool: jawGeoms,
  },
  space: endEffectorDelta,
  stateNames: [...widowxChain.joints.map(({ name }) => name), ...gripperLog],
  stateUnits: [...widowxChain.joints.map(() => "rad"), "m", "m", "m", "1", "1", "1", "1", "1"],
  logNames: gripperLog,
  cameras: ["front", "wrist"],
  model: () => ({
    bodies: chainBodies(
      widowxChain,
      links,
      [
        visible("pedestal", "cylinder", 0.07, [0, 0, -0.6], [0, 0, -0.01]),
        visible("base", "cylinder", 0.06, [0, 0, -0.01], [0, 0, 0.055]),
      ],
      handBody(widowxJaws, mount, palm),
    ),
    actuators: chainServos(widowxChain, links) + jawServos(widowxJaws),
    equalities: jawEquality,
  }),
  attach: (simulation) =>
    new GripperEffector(simulation, new ArmCarrier(simulation, widowxChain, [0, -0.3, 0.7, 0, 1.2, 0]), widowxJaws),
};
