/** @file Flags of `bridge run`, `record`, `serve`, `simulate` and `stop`. */
import { z } from "zod";
import { splits } from "#world/index.ts";
import { topics } from "./protocol/topics.ts";
import { defaultSafetyTuning as tuning } from "./robots/arm-description.ts";

const milliseconds = (value: number, meaning: string) =>
  z.number().positive().default(value).describe(`${meaning}, ms`);
const share = (value: number, meaning: string) => z.number().positive().max(1).default(value).describe(meaning);
const topic = (value: string, meaning: string) => z.string().default(value).describe(meaning);

const robotUrl = z
  .string()
  .default("ws://127.0.0.1:9090")
  .describe("address of the robot's rosbridge server (?token=... where it asks for one), or mqtt://broker:1883");
const mqttPrefix = z.string().min(1).default("armature/arm").describe("first part of all topics on an MQTT broker");

const safety = z.strictObject({
  velocityShare: share(tuning.velocityShare, "share of the arm's own speed limits that is used"),
  accelerationShare: share(tuning.accelerationShare, "share of the arm's own acceleration limits that is used"),
  marginRad: z.number().min(0).default(tuning.marginRad).describe("kept free inside the joints' ranges, rad"),
  firstCommandRad: z
    .number()
    .positive()
    .default(tuning.firstCommandRad)
    .describe("a first command farther from the arm than this is refused or approached slowly, rad"),
  firstCommand: z.enum(["refuse", "ramp"]).default(tuning.firstCommand).describe("what to do with such a command"),
  rampShare: share(tuning.rampShare, "share of the speed limit that the slow approach uses"),
  trackingErrorRad: z
    .number()
    .positive()
    .default(tuning.trackingErrorRad)
    .describe("an arm that stays farther than this behind its commands is stopped, rad"),
});

const topicNames = z.strictObject({
  jointStates: topic(topics.jointStates, "sensor_msgs/JointState"),
  command: topic(topics.command, "trajectory_msgs/JointTrajectory"),
  camera: topic(topics.camera("{name}"), "sensor_msgs/CompressedImage; {name} is the policy's name for the camera"),
  estop: topic(topics.estop, "std_msgs/Bool, latched"),
  instruction: topic(topics.instruction, "std_msgs/String"),
  status: topic(topics.status, "std_msgs/String, JSON of the simulated arm"),
});

/** `bridge run`, beside the policy itself. */
export const bridgeRunConfig = z.strictObject({
  robot: robotUrl,
  mqttPrefix,
  arm: z.string().default("tabletop-arm").describe('"tabletop-arm" (the simulated one) or a JSON file about your arm'),
  instruction: z
    .string()
    .optional()
    .describe("what the policy is to do; without it the robot's instruction topic says"),
  durationS: z.number().min(0).default(0).describe("end after so many seconds; 0: no limit"),
  endsWithTask: z.boolean().default(true).describe("end when the robot says that its task is over"),
  rearm: z
    .enum(["never", "after-cut"])
    .default("never")
    .describe("after a lost link: end, or arm again once all has been well for a second and the arm has not moved"),
  rateHz: z.number().min(5).max(200).default(50).describe("commands per second, Hz"),
  ttlMs: milliseconds(100, "how long a command may still be executed"),
  timing: z
    .enum(["auto", "observation", "arrival"])
    .default("auto")
    .describe("when a chunk's first action starts: with its observation, or when the answer arrives"),
  replanMs: z.number().positive().optional().describe("time between questions to the policy, ms; default half a chunk"),
  policyDeadlineMs: z.number().positive().optional().describe("answers after this are dropped, ms; default a chunk"),
  policySilenceMs: milliseconds(2000, "without a usable answer for this long the arm is latched in hold"),
  maxStateAgeMs: milliseconds(200, "joint states older than this stop the arm"),
  maxCameraAgeMs: milliseconds(500, "pictures older than this are not shown to the policy"),
  safety: safety.prefault({}),
  topics: topicNames.prefault({}),
});
export type BridgeRunConfig = z.infer<typeof bridgeRunConfig>;

export const bridgeSimulateConfig = z.strictObject({
  port: z.number().int().min(0).max(65535).default(9090).describe("port to listen on; 0: any free one"),
  host: z.string().default("127.0.0.1").describe("address to listen on; others than this machine's need a token"),
  token: z.string().default("").describe("secret of at least 16 characters that clients must show"),
  broker: z.string().default("").describe("speak MQTT over this broker instead: mqtt://host:1883"),
  mqttPrefix,
  suite: z.enum(["demo", "small", "language-table"]).default("demo").describe("preset of the push tasks"),
  split: z.enum(splits).default("train").describe("split of the suite that tasks are drawn from"),
  seed: z.number().int().min(0).default(0).describe("first task; each reset plays the next"),
  pictureSize: z.number().int().min(16).max(1024).default(64).describe("side of the camera's pictures, pixels"),
  showsTruth: z.boolean().default(true).describe("publish what experts may see on /task/truth"),
  emptyTrajectory: z
    .enum(["hold", "refuse"])
    .default("refuse")
    .describe("what the controller does with empty trajectories: as ros2_controllers before or since 2024"),
});
export type BridgeSimulateConfig = z.infer<typeof bridgeSimulateConfig>;

export const bridgeStopConfig = z.strictObject({
  robot: robotUrl,
  mqttPrefix,
  topic: topic(topics.estop, "std_msgs/Bool, latched"),
  release: z.boolean().default(false).describe("release the e-stop instead of pressing it"),
});
export type BridgeStopConfig = z.infer<typeof bridgeStopConfig>;

export const bridgeRecordConfig = z.strictObject({
  robot: robotUrl,
  mqttPrefix,
  file: z.string().describe("recording to write, .mcap; must not be there yet"),
  cameras: z.array(z.string()).default(["front"]).describe("names of the cameras to record"),
  topics: topicNames.prefault({}),
});
export type BridgeRecordConfig = z.infer<typeof bridgeRecordConfig>;

/** `bridge serve`, beside the policy itself. */
export const bridgeServeConfig = z.strictObject({
  dialect: z
    .enum(["openpi", "openvla"])
    .default("openpi")
    .describe("openpi: websocket with msgpack; openvla: POST /act with JSON, also OpenVLA-OFT's"),
  port: z.number().int().min(0).max(65535).default(8000).describe("port to listen on; 0: any free one"),
  host: z.string().default("127.0.0.1").describe("address to listen on; others than this machine's need a token"),
  token: z.string().default("").describe("secret of at least 16 characters that clients must show"),
});
