import { DOMParser, type Element } from "@xmldom/xmldom";
import { FormatError } from "#core/errors.ts";
import {
  type ChainJoint,
  composePoses,
  identityPose,
  type KinematicChain,
  type Pose,
} from "#core/geometry/kinematics.ts";
import { quaternionFromRollPitchYaw, unit, type Vector3 } from "#core/geometry/quaternion.ts";

export type UrdfChainOptions = {
  /** For error messages. */
  readonly path: string;
  /** Links at the ends of the chain: "base_link", "tool0". */
  readonly base: string;
  readonly tip: string;
  readonly worldFromBase?: Pose;
};

type UrdfJoint = { readonly element: Element; readonly name: string; readonly parent: string; readonly child: string };

/**
 * Reads the chain from one link to another out of a URDF: moving joints with their limits, fixed ones folded into their
 * neighbours. Joints that other chains have are left out. Continuous joints get one turn either way.
 *
 * @throws FormatError when it is not URDF, there is no such chain, or a joint lacks its limits
 */
export function chainFromUrdf(
  text: string,
  { path, base, tip, worldFromBase = identityPose }: UrdfChainOptions,
): KinematicChain {
  const robot = parseRobot(text, path);
  const joints = childrenNamed(robot, "joint").map((element): UrdfJoint => {
    const link = (end: string) => firstNamed(element, end)?.getAttribute("link") ?? "";
    return { element, name: element.getAttribute("name") ?? "", parent: link("parent"), child: link("child") };
  });
  const way: UrdfJoint[] = [];
  for (let link = tip; link !== base; ) {
    const joint = joints.find(({ child }) => child === link);
    if (!joint || way.includes(joint)) {
      throw new FormatError(
        path,
        `must lead from link "${base}" to link "${tip}", but stops at "${link}". Name its links.`,
      );
    }
    way.unshift(joint);
    link = joint.parent;
  }
  const chain: ChainJoint[] = [];
  // What fixed joints add before the next moving one.
  let fixed: Pose = identityPose;
  for (const joint of way) {
    const origin = composePoses(fixed, originOf(joint, path));
    const moving = movingJoint(joint, origin, path);
    fixed = moving ? identityPose : origin;
    if (moving) chain.push(moving);
  }
  if (chain.length === 0)
    throw new FormatError(path, `must have moving joints between "${base}" and "${tip}", has none.`);
  return { worldFromBase, joints: chain, tip: fixed };
}

function parseRobot(text: string, path: string): Element {
  let problem = "";
  const parser = new DOMParser({
    onError: (_level, message) => {
      problem ||= message;
    },
  });
  let robot: Element | null = null;
  try {
    robot = parser.parseFromString(text, "text/xml").documentElement;
  } catch (cause) {
    throw new FormatError(
      path,
      `must be a URDF: ${problem || (cause as Error).message}. If it is xacro, run xacro first.`,
      { cause },
    );
  }
  if (robot?.tagName === "robot" && !problem) return robot;
  throw new FormatError(
    path,
    `must be a URDF: ${problem || `starts with <${robot?.tagName}>`}. If it is xacro, run xacro first.`,
  );
}

const childrenNamed = (element: Element, name: string): Element[] =>
  Array.from(element.childNodes).filter((node): node is Element => node.nodeName === name);

const firstNamed = (element: Element, name: string): Element | undefined => childrenNamed(element, name)[0];

function numbers(text: string | null | undefined, fallback: Vector3, what: string, path: string): Vector3 {
  if (!text) return fallback;
  const values = text.trim().split(/\s+/).map(Number);
  if (values.length === 3 && values.every(Number.isFinite)) return values as unknown as Vector3;
  throw new FormatError(path, `${what} must be three numbers, got "${text}".`);
}

function originOf({ element, name }: UrdfJoint, path: string): Pose {
  const origin = firstNamed(element, "origin");
  const position = numbers(origin?.getAttribute("xyz"), [0, 0, 0], `origin of joint ${name}`, path);
  const [roll, pitch, yaw] = numbers(origin?.getAttribute("rpy"), [0, 0, 0], `turn of joint ${name}`, path);
  return { position, quaternion: quaternionFromRollPitchYaw(roll, pitch, yaw) };
}

function movingJoint({ element, name }: UrdfJoint, origin: Pose, path: string): ChainJoint | null {
  const type = element.getAttribute("type");
  if (type === "fixed") return null;
  if (type !== "revolute" && type !== "continuous" && type !== "prismatic") {
    throw new FormatError(path, `joint ${name} must be revolute, continuous, prismatic or fixed, got "${type}".`);
  }
  const limit = firstNamed(element, "limit");
  const value = (attribute: string, fallback = Number.NaN) => {
    const given = limit?.getAttribute(attribute);
    const number = given ? Number(given) : fallback;
    if (Number.isFinite(number)) return number;
    throw new FormatError(path, `joint ${name} must have a limit with "${attribute}". Without it nothing can be kept.`);
  };
  const axis = numbers(firstNamed(element, "axis")?.getAttribute("xyz"), [1, 0, 0], `axis of joint ${name}`, path);
  if (axis.every((part) => part === 0)) throw new FormatError(path, `axis of joint ${name} must point somewhere.`);
  const turn = type === "continuous" ? 2 * Math.PI : Number.NaN;
  return {
    name,
    kind: type === "prismatic" ? "sliding" : "revolute",
    origin,
    axis: unit(axis),
    low: value("lower", -turn),
    high: value("upper", turn),
    velocityLimit: value("velocity"),
  };
}
