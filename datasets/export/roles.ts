/** @file What a feature is for in policies of others: cameras by their place, state, action. */
import type { EpisodeReader, Feature } from "#core/contracts/episode.ts";
import { ConfigError } from "#core/errors.ts";
import { cameraNames, numberNames } from "../episode-buffer.ts";

export type Roles = {
  /** Cameras that see the scene, then those on a wrist; names of the source. */
  readonly cameras: readonly string[];
  readonly scene: string | undefined;
  readonly wrist: string | undefined;
  readonly state: string | undefined;
  readonly action: string;
};

const isOnWrist = (name: string) => /wrist|hand|gripper/i.test(name);

/** Last part of a camera's name: "observation.images.front" is "front". */
export const shortName = (camera: string): string =>
  camera.replace(/^observation\.(images?\.)?/, "").replaceAll(".", "_");

/** @throws ConfigError when the set has no action or no camera */
export function findRoles({ info }: EpisodeReader): Roles {
  const { features, path } = info;
  const all = cameraNames(features);
  const cameras = [...all.filter((name) => !isOnWrist(name)), ...all.filter(isOnWrist)];
  const numbers = numberNames(features);
  const action = ["action", "actions"].find((name) => numbers.includes(name));
  const state = ["observation.state", "state"].find((name) => numbers.includes(name));
  const missing = action === undefined ? 'a feature "action"' : cameras.length === 0 ? "a camera" : undefined;
  if (missing !== undefined || action === undefined)
    throw new ConfigError(
      `${path}: must have ${missing}, it has ${Object.keys(features).join(", ")}. Convert it first, with --rename.`,
    );
  return { cameras, action, state, scene: cameras.find((name) => !isOnWrist(name)), wrist: cameras.find(isOnWrist) };
}

/** Throws unless the set has a state. */
export function requireState({ info }: EpisodeReader, { state }: Roles, target: string): string {
  if (state !== undefined) return state;
  throw new ConfigError(
    `${info.path}: must have a feature "observation.state" for ${target}, it has ${Object.keys(info.features).join(", ")}. Convert it first, with --rename.`,
  );
}

export type Group = { readonly name: string; readonly start: number; readonly end: number };

/** One word for what moves: side and part. */
function partOf(name: string): string {
  const side = /(^|[^a-z])(left|l)([^a-z]|$)/i.test(name)
    ? "left_"
    : /(^|[^a-z])(right|r)([^a-z]|$)/i.test(name)
      ? "right_"
      : "";
  if (/grip/i.test(name)) return `${side}gripper`;
  if (/finger|thumb|hand|index|middle|ring|pinky/i.test(name)) return `${side}hand`;
  return side === "" ? "single_arm" : `${side}arm`;
}

/** Stretches of a vector that belong together, by the names of its dimensions; one stretch where they have none. */
export function groupsOf({ shape, names }: Feature): Group[] {
  const size = shape.reduce((product, side) => product * side, 1);
  if (!names || names.length !== size) return [{ name: "single_arm", start: 0, end: size }];
  const groups: { name: string; start: number; end: number }[] = [];
  for (const [index, label] of names.entries()) {
    const part = partOf(label);
    const last = groups.at(-1);
    if (last && last.name.replace(/_\d+$/, "") === part) last.end = index + 1;
    else {
      const before = groups.filter(({ name }) => name.replace(/_\d+$/, "") === part).length;
      groups.push({ name: before === 0 ? part : `${part}_${before + 1}`, start: index, end: index + 1 });
    }
  }
  return groups;
}
