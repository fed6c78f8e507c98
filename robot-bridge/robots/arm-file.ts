import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { parseConfig } from "#core/config/resolve.ts";
import { ConfigError, FormatError } from "#core/errors.ts";
import { quaternionFromRollPitchYaw } from "#core/geometry/quaternion.ts";
import type { ArmDescription } from "./arm-description.ts";
import { chainFromUrdf } from "./urdf.ts";

const vector = z.tuple([z.number(), z.number(), z.number()]);
const corner = z.tuple([z.number(), z.number()]);

/** What a user writes about an arm; its kinematics and limits come from its URDF. */
const armFile = z.strictObject({
  name: z.string().min(1),
  urdf: z.string().describe("path of the URDF, from this file's folder"),
  baseLink: z.string().default("base_link"),
  tipLink: z.string().default("tool0"),
  worldFromBase: z
    .strictObject({ position: vector.default([0, 0, 0]), rollPitchYaw: vector.default([0, 0, 0]) })
    .prefault({})
    .describe("where the base stands in the frame that policies act in; metres, radians"),
  accelerationLimit: z
    .union([z.number().positive(), z.array(z.number().positive())])
    .describe("largest change of speed of each joint, rad/s^2; URDF has none"),
  stateNames: z.array(z.string()).optional().describe('joint names, "tip x", "tip y", "tip z"; by default the joints'),
  planar: z
    .strictObject({
      toolHeightM: z.number(),
      orientation: z.enum(["full", "direction", "none"]).default("direction"),
      workspace: z.strictObject({ low: corner, high: corner }),
    })
    .optional(),
});

/**
 * Reads the description of an arm.
 *
 * @throws ConfigError when a file is missing or a field wrong @throws FormatError when the URDF is broken
 */
export function readArmFile(path: string): ArmDescription {
  let value: unknown;
  try {
    value = JSON.parse(readText(path));
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new FormatError(path, `must be JSON: ${(cause as Error).message}.`, { cause });
  }
  const { name, urdf, baseLink, tipLink, worldFromBase, accelerationLimit, stateNames, planar } = parseConfig(
    armFile,
    value,
    path,
  );
  const urdfPath = resolve(dirname(path), urdf);
  const chain = chainFromUrdf(readText(urdfPath), {
    path: urdfPath,
    base: baseLink,
    tip: tipLink,
    worldFromBase: {
      position: worldFromBase.position,
      quaternion: quaternionFromRollPitchYaw(...worldFromBase.rollPitchYaw),
    },
  });
  const joints = chain.joints.map((joint) => joint.name);
  const limits = typeof accelerationLimit === "number" ? joints.map(() => accelerationLimit) : accelerationLimit;
  if (limits.length !== joints.length) {
    const got = `${limits.length} values`;
    throw new ConfigError(`${path}: accelerationLimit must be one number or ${joints.length}, got ${got}. Mend it.`);
  }
  const known = [...joints, "tip x", "tip y", "tip z"];
  const unknown = stateNames?.find((state) => !known.includes(state));
  if (unknown !== undefined) {
    throw new ConfigError(`${path}: stateNames must be of ${known.join(", ")}, got "${unknown}". Mend it.`);
  }
  return {
    name,
    chain,
    accelerationLimit: limits,
    stateNames: stateNames ?? joints,
    ...(planar === undefined ? {} : { planar }),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(`${path}: must be a file that can be read, but is not. Check the path.`, { cause });
  }
}
