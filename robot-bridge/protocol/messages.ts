/**
 * @file The ROS 2 messages that arms need, as JSON of rosbridge and as our own typed values. Names and units are those
 * of `common_interfaces`. JSON has no NaN: rosbridge sends `null` for it, and decoding turns `null` back into NaN, so a
 * receiver must check with `isFinite` before it moves anything.
 */
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { nsFromMs, nsFromRosTime, rosTimeFromNs } from "./stamp.ts";

export const messageTypes = {
  jointState: "sensor_msgs/msg/JointState",
  compressedImage: "sensor_msgs/msg/CompressedImage",
  jointTrajectory: "trajectory_msgs/msg/JointTrajectory",
  string: "std_msgs/msg/String",
  bool: "std_msgs/msg/Bool",
} as const;

/** Longest arrays that are decoded: no arm has more joints, no command more points. */
export const maxJoints = 256;
const maxPoints = 4096;
/** Longest base64 text of a picture, characters (a 12 MiB file). */
const maxImageText = 16 * 1024 * 1024;

/** Robot's measured joints. `velocities` and `efforts` are empty or as long as `names`. Radians, rad/s, N m. */
export type JointState = {
  readonly stampNs: bigint;
  readonly frameId: string;
  readonly names: readonly string[];
  readonly positions: Float64Array;
  readonly velocities: Float64Array;
  readonly efforts: Float64Array;
};

type TrajectoryPoint = {
  readonly positions: Float64Array;
  /** Empty, or one per joint. */
  readonly velocities: Float64Array;
  /** Counted from the trajectory's stamp; strictly increasing. */
  readonly timeFromStartNs: bigint;
};

/** `stampNs` 0 means "starts on arrival". */
export type JointTrajectory = {
  readonly stampNs: bigint;
  readonly frameId: string;
  readonly names: readonly string[];
  readonly points: readonly TrajectoryPoint[];
};

/** `format` as ROS writes it: "png", "jpeg", "rgb8; jpeg compressed bgr8". */
export type CompressedImage = {
  readonly stampNs: bigint;
  readonly frameId: string;
  readonly format: string;
  readonly data: Uint8Array;
};

const nanosec = z.int().min(0).max(999_999_999);
const sec = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);
const time = z.union([
  z.object({ sec, nanosec }),
  z.object({ secs: sec, nsecs: nanosec }).transform(({ secs, nsecs }) => ({ sec: secs, nanosec: nsecs })),
]);
const duration = time;
const header = z.object({ stamp: time, frame_id: z.string().max(1024).default("") });
const jointName = z.string().min(1).max(256);
/** `null` stands for NaN. */
const numbers = z
  .array(z.number().nullable())
  .max(maxJoints)
  .default([])
  .transform((list) => Float64Array.from(list, (value) => value ?? Number.NaN));

const jointStateJson = z.object({
  header,
  name: z.array(jointName).max(maxJoints),
  position: numbers,
  velocity: numbers,
  effort: numbers,
});
const pointJson = z.object({ positions: numbers, velocities: numbers, time_from_start: duration });
const trajectoryJson = z.object({
  header,
  joint_names: z.array(jointName).max(maxJoints),
  points: z.array(pointJson).max(maxPoints),
});
const imageJson = z.object({ header, format: z.string().max(256), data: z.string().max(maxImageText) });
const stringJson = z.object({ data: z.string().max(65_536) });
const boolJson = z.object({ data: z.boolean() });

function parse<T>(schema: z.ZodType<T>, name: string, message: unknown): T {
  const result = schema.safeParse(message);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new FormatError(name, `${issue?.path.join(".") || "message"}: ${issue?.message ?? "not understood"}.`);
}

function matchLengths(name: string, joints: number, arrays: Readonly<Record<string, Float64Array>>): void {
  for (const [field, array] of Object.entries(arrays)) {
    if (array.length === 0 || array.length === joints) continue;
    throw new FormatError(name, `${field}: must have 0 or ${joints} entries, got ${array.length}.`);
  }
}

function distinct(name: string, names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw new FormatError(name, "a joint is named twice.");
}

export function decodeJointState(message: unknown): JointState {
  const { header: head, name, position, velocity, effort } = parse(jointStateJson, "JointState", message);
  matchLengths("JointState", name.length, { position, velocity, effort });
  distinct("JointState", name);
  const stampNs = nsFromRosTime(head.stamp);
  return { stampNs, frameId: head.frame_id, names: name, positions: position, velocities: velocity, efforts: effort };
}

export function encodeJointState(state: JointState): unknown {
  return {
    header: { stamp: rosTimeFromNs(state.stampNs), frame_id: state.frameId },
    name: state.names,
    position: plain(state.positions),
    velocity: plain(state.velocities),
    effort: plain(state.efforts),
  };
}

/** JSON numbers; NaN and infinities become `null`, as rosbridge sends them. */
const plain = (values: Float64Array) => Array.from(values, (value) => (Number.isFinite(value) ? value : null));

export function decodeJointTrajectory(message: unknown): JointTrajectory {
  const { header: head, joint_names: names, points } = parse(trajectoryJson, "JointTrajectory", message);
  distinct("JointTrajectory", names);
  let lastNs = -1n;
  const decoded = points.map(({ positions, velocities, time_from_start }, index): TrajectoryPoint => {
    const timeFromStartNs = nsFromRosTime(time_from_start);
    if (positions.length !== names.length) {
      const counts = `${names.length} entries, got ${positions.length}`;
      throw new FormatError("JointTrajectory", `points.${index}.positions: must have ${counts}.`);
    }
    matchLengths("JointTrajectory", names.length, { [`points.${index}.velocities`]: velocities });
    if (timeFromStartNs <= lastNs) {
      throw new FormatError("JointTrajectory", `points.${index}.time_from_start: must be later than the one before.`);
    }
    lastNs = timeFromStartNs;
    return { positions, velocities, timeFromStartNs };
  });
  return { stampNs: nsFromRosTime(head.stamp), frameId: head.frame_id, names, points: decoded };
}

/** @throws FormatError on a value that is not finite: a command with a hole in it is never sent */
export function encodeJointTrajectory(trajectory: JointTrajectory): unknown {
  const finite = (values: Float64Array) => {
    if (values.every(Number.isFinite)) return Array.from(values);
    throw new FormatError("JointTrajectory", `every value must be finite, got ${Array.from(values).join(", ")}.`);
  };
  return {
    header: { stamp: rosTimeFromNs(trajectory.stampNs), frame_id: trajectory.frameId },
    joint_names: trajectory.names,
    points: trajectory.points.map(({ positions, velocities, timeFromStartNs }) => ({
      positions: finite(positions),
      velocities: finite(velocities),
      accelerations: [],
      effort: [],
      time_from_start: rosTimeFromNs(timeFromStartNs),
    })),
  };
}

/**
 * No points: "stop where you are" for ros_controllers and for ros2_controllers until December 2023. Later ones refuse it
 * (their pull request 902) and go on, so a hold needs a `targetTrajectory` as well. Never stamped: a stamped one ends in
 * the past as soon as it arrives, and is refused for that.
 */
export const emptyTrajectory = (names: readonly string[]): JointTrajectory => ({
  stampNs: 0n,
  frameId: "",
  names,
  points: [],
});

/**
 * One target, reached after `motionMs`, kept until `ttlMs`. A stamped trajectory whose last point lies in the past is
 * refused by joint_trajectory_controller (`validate_trajectory_msg`), so the last point's time is the command's
 * time-to-live; and one that was accepted ends in standstill when nothing follows it.
 */
export function targetTrajectory(
  names: readonly string[],
  positions: Float64Array,
  { stampNs, motionMs, ttlMs }: { stampNs: bigint; motionMs: number; ttlMs: number },
): JointTrajectory {
  const reach: TrajectoryPoint = { positions, velocities: new Float64Array(0), timeFromStartNs: nsFromMs(motionMs) };
  const stay = ttlMs > motionMs ? [{ ...reach, timeFromStartNs: nsFromMs(ttlMs) }] : [];
  return { stampNs, frameId: "", names, points: [reach, ...stay] };
}

export function decodeCompressedImage(message: unknown): CompressedImage {
  const { header: head, format, data } = parse(imageJson, "CompressedImage", message);
  return { stampNs: nsFromRosTime(head.stamp), frameId: head.frame_id, format, data: decodeBase64(data) };
}

export function encodeCompressedImage(image: CompressedImage): unknown {
  const stamp = rosTimeFromNs(image.stampNs);
  return { header: { stamp, frame_id: image.frameId }, format: image.format, data: encodeBase64(image.data) };
}

export const decodeString = (message: unknown): string => parse(stringJson, "String", message).data;
export const encodeString = (text: string): unknown => ({ data: text });
export const decodeBool = (message: unknown): boolean => parse(boolJson, "Bool", message).data;
export const encodeBool = (value: boolean): unknown => ({ data: value });

/** `sensor_msgs/JointState` (ROS 1) and `sensor_msgs/msg/JointState` (ROS 2) name one type. */
export const sameType = (left: string, right: string): boolean =>
  left.replace("/msg/", "/").replace("/srv/", "/") === right.replace("/msg/", "/").replace("/srv/", "/");
