/**
 * @file A person's hand that picks things up: three fingers and a thumb that open and close, seen from above, with a
 * forearm that keeps pointing back to an elbow. What touches things are two unseen pads.
 */
import type { Pose } from "#core/geometry/kinematics.ts";
import { rotate } from "#core/geometry/quaternion.ts";
import { arcTangent2 } from "#core/geometry/trigonometry.ts";
import type { Simulation } from "../../physics/simulation.ts";
import { element } from "../../physics/xml.ts";
import { visible } from "../chain-model.ts";
import type { Embodiment } from "../embodiment.ts";
import { type Carrier, endEffectorDelta, GripperEffector, gripperLog } from "./gripper-effector.ts";
import { handBody, type Jaws, jawEquality, jawServos } from "./jaws.ts";

const jaws: Jaws = { halfOpenM: 0.036, reachM: 0.09, padM: [0.006, 0.014, 0.013], forceN: 12 };
/** Where the forearm points back to, metres; x is mirrored for a left hand. */
const elbowM = [0.62, -0.5] as const;
/** Height of the wrist above the fingertips. */
const wristM = 0.125;

const axes = ["hand x", "hand y", "hand z", "hand yaw", "forearm turn"] as const;
/** Masses that the servos carry: the hand along each axis, then inertias about the vertical. */
const inertias = [1, 1, 1, 0.02, 0.02] as const;

const fingerNames = ["index", "middle", "ring"] as const;

/**
 * A finger of one jaw: fingertip and knuckle in the gripper's frame. `side` is where the jaw opens to. Its root reaches so
 * far into the palm that it does not leave it when the jaws are open.
 */
function finger(
  name: string,
  side: number,
  across: number,
  radius: number,
  knuckle: readonly [number, number, number],
) {
  const tip = [side * radius, across, jaws.reachM + 0.004 - 0.4 * Math.abs(across)] as const;
  const middle = [side * (radius + 0.012), across, jaws.reachM - 0.035] as const;
  const root = [knuckle[0] - side * (jaws.halfOpenM + 0.004), knuckle[1], 0.3 * knuckle[2] - 0.004] as const;
  return [
    visible(name, "capsule", radius, tip, middle),
    visible(`${name} base`, "capsule", radius, middle, knuckle),
    visible(`${name} root`, "capsule", 1.1 * radius, knuckle, root),
  ];
}

function model(variant: string): string {
  const side = variant === "left" ? -1 : 1;
  const thumb = finger("thumb", -side, -0.002, 0.0105, [-side * 0.022, -0.004, 0.025]);
  const fingers = fingerNames.flatMap((name, index) =>
    finger(name, side, 0.018 * (index - 1), 0.0088, [side * 0.012, 0.018 * (index - 1), 0.004]),
  );
  const palm = [
    visible("palm", "capsule", 0.019, [side * 0.004, -0.014, -0.006], [side * 0.004, 0.014, -0.006]),
    visible("heel", "capsule", 0.021, [-side * 0.006, 0, -0.012], [0, 0, -0.035]),
  ];
  const mount: Pose = { position: [0, 0, jaws.reachM], quaternion: [1, 0, 0, 0] };
  const slide = (name: string, axis: readonly number[]) => element("joint", { name, type: "slide", axis });
  return element(
    "body",
    { name: "hand", gravcomp: 1 },
    element("inertial", { pos: [0, 0, 0], mass: 1, diaginertia: [0.01, 0.01, 0.01] }),
    slide("hand x", [1, 0, 0]),
    slide("hand y", [0, 1, 0]),
    slide("hand z", [0, 0, 1]),
    element("joint", { name: "hand yaw", type: "hinge", axis: [0, 0, 1] }),
    handBody(jaws, mount, palm, side > 0 ? { left: thumb, right: fingers } : { left: fingers, right: thumb }, false),
    element(
      "body",
      { name: "forearm", pos: [0, 0, wristM], gravcomp: 1 },
      element("inertial", { pos: [0, 0, 0], mass: 0.2, diaginertia: [0.005, 0.005, 0.005] }),
      element("joint", { name: "forearm turn", type: "hinge", axis: [0, 0, 1] }),
      visible("wrist", "capsule", 0.021, [0, 0, 0], [0, -0.05, 0.014]),
      visible("cuff", "capsule", 0.031, [0, -0.06, 0.017], [0, -0.07, 0.02]),
      visible("sleeve", "capsule", 0.029, [0, -0.07, 0.02], [0, -0.85, 0.14]),
    ),
  );
}

class FreeHand implements Carrier {
  private readonly simulation: Simulation;
  private readonly elbow: readonly [number, number];

  constructor(simulation: Simulation, variant: string) {
    this.simulation = simulation;
    this.elbow = [variant === "left" ? -elbowM[0] : elbowM[0], elbowM[1]];
  }

  place(target: Pose): Float64Array {
    const controls = this.lead(target);
    // The jaws' joints lie between the hand's and the forearm's.
    for (const [index, name] of axes.entries()) {
      this.simulation.setPositions(this.simulation.joint(name).position, [controls[index]!]);
    }
    return controls;
  }

  /** A wrist is not turned about any axis but the vertical. */
  lead({ position: [x, y, z], quaternion }: Pose): Float64Array {
    const [alongX, alongY] = rotate(quaternion, [1, 0, 0]);
    const yaw = arcTangent2(alongY, alongX);
    const forearm = arcTangent2(this.elbow[0] - x, y - this.elbow[1]);
    return Float64Array.of(x, y, z, yaw, forearm - yaw);
  }

  state(): readonly number[] {
    return [];
  }

  memory(): readonly number[] {
    return [];
  }

  remember(): void {}
}

export const graspingHand: Embodiment = {
  id: "hand",
  variants: ["right", "left"],
  setting: "home",
  recordsActions: false,
  paint: {
    skin: [...fingerNames, "thumb"]
      .flatMap((name) => [name, `${name} base`, `${name} root`])
      .concat("palm", "heel", "wrist"),
    sleeve: ["cuff", "sleeve"],
  },
  cameras: ["front"],
  space: endEffectorDelta,
  stateNames: gripperLog,
  stateUnits: ["m", "m", "m", "1", "1", "1", "1", "1"],
  logNames: gripperLog,
  model: (variant) => ({
    bodies: model(variant),
    actuators:
      axes
        .map((joint, index) =>
          element("position", { name: joint, joint, kp: inertias[index]! * 80 * 80, kv: 2 * inertias[index]! * 80 }),
        )
        .join("") + jawServos(jaws),
    equalities: jawEquality,
  }),
  attach: (simulation, variant) => new GripperEffector(simulation, new FreeHand(simulation, variant), jaws),
};
