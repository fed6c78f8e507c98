/**
 * @file One run of a policy on a robot, from the first connection to the summary: everything is checked before the arm may
 * move, the policy answers once before that (the first answer is often the slowest), and however the run ends the arm is
 * told to hold, disarmed and let go.
 */
import { type Clock, systemClock } from "#core/clock.ts";
import type { Policy } from "#core/contracts/policy.ts";
import type { Robot } from "#core/contracts/robot.ts";
import { ConfigError, RobotError } from "#core/errors.ts";
import type { Pose } from "#core/geometry/kinematics.ts";
import type { LoopSummary } from "./control/loop-statistics.ts";
import { type LoopStatus, runControlLoop } from "./control-loop.ts";
import { checkActionSpace, type JointCommandOptions } from "./joint-commands.ts";
import { msFromNs } from "./protocol/stamp.ts";
import type { TaskStatus } from "./protocol/task.ts";
import type { ArmDescription } from "./robots/arm-description.ts";
import type { ArmCounters, RosArm } from "./robots/ros-arm.ts";

/** An arm that a run can drive. */
export type BridgeRobot = Robot &
  Pick<RosArm, "robotTimeNs" | "measuredJoints" | "toolPose" | "taskStatus" | "counters" | "armingProblem">;

export type RunBridgeOptions = {
  readonly policy: Policy;
  /** Not connected yet. */
  readonly robot: BridgeRobot;
  readonly description: ArmDescription;
  /** Commands per second. */
  readonly rateHz?: number;
  readonly ttlMs?: number;
  /** "auto": by arrival for chunks of one or two actions, by observation for longer ones. */
  readonly timing?: "auto" | "observation" | "arrival";
  /** Time between questions to the policy; by default half a chunk. */
  readonly replanMs?: number | undefined;
  readonly policyDeadlineMs?: number | undefined;
  readonly maxAnswerAgeMs?: number;
  readonly policySilenceMs?: number;
  /**
   * What to do when the link was cut and is back: "never" ends the run; "after-cut" arms again by itself, at most three
   * times, once everything has been well for a second and the arm is still where it was told to be.
   */
  readonly rearm?: "never" | "after-cut";
  /** Ends the run after so many seconds; 0: no limit. */
  readonly durationS?: number;
  /** Ends the run when the robot says that its task is over. */
  readonly endsWithTask?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
  readonly onStatus?: ((status: LoopStatus) => void) | undefined;
};

export type BridgeSummary = {
  /** "task", "time" and "stopped" are ends as wanted; else the mode that the robot was left in. */
  readonly ended: "task" | "time" | "stopped" | "hold" | "stale" | "estop" | "disarmed";
  readonly detail: string;
  readonly policyId: string;
  readonly instruction: string;
  /** How often the arm was armed again by itself. */
  readonly rearmed: number;
  /** One for each time the arm was armed. */
  readonly loops: readonly LoopSummary[];
  readonly robot: ArmCounters;
  readonly task: TaskStatus | null;
};

const mostRearms = 3;
const rearmWaitMs = 30_000;
const rearmCalmMs = 1000;
const warmUpMs = 120_000;
/** How far the tool may be from its working height when a planar policy starts, m. */
const heightToleranceM = 0.03;

/**
 * Drives the robot with the policy until the task is over, the time is up, `signal` fires or the robot stops.
 *
 * @throws RobotError when the robot cannot be reached or armed @throws ConfigError when policy and robot do not fit
 */
export async function runBridge(options: RunBridgeOptions): Promise<BridgeSummary> {
  const { policy, robot, description, log = () => undefined, signal } = options;
  const joints = jointCommands(description);
  checkActionSpace(joints, policy.spec.space);
  checkObservations(policy, robot);
  try {
    await robot.connect();
    const { instruction } = await robot.observe();
    log(`connected: ${description.name}, instruction "${instruction}"`);
    await warmUp(options);
    const loops: LoopSummary[] = [];
    for (let rearmed = 0; ; rearmed++) {
      const summary = (ended: BridgeSummary["ended"], detail: string): BridgeSummary => {
        const { counters, taskStatus: task } = robot;
        const { policyId } = policy.spec;
        return { ended, detail, policyId, instruction, rearmed: loops.length - 1, loops, robot: counters, task };
      };
      let keptTool: Pose | null;
      try {
        keptTool = policy.spec.space.kind === "planar-delta" ? workingTool(robot, description) : null;
        if (!signal?.aborted) await robot.arm();
      } catch (error) {
        if (rearmed === 0 || !(error instanceof RobotError)) throw error;
        return summary(endedBy(robot), error.message);
      }
      log(rearmed === 0 ? "armed" : `armed again (${rearmed} of ${mostRearms})`);
      policy.reset();
      const end = await oneLoop(options, joints, keptTool);
      loops.push(end.summary);
      if (end.reason === "not armed" && rearmed < mostRearms && (await isWellAgain(options))) continue;
      await robot.hold(end.detail, { latch: true });
      return summary(end.reason === "not armed" ? endedBy(robot) : end.reason, end.detail);
    }
  } finally {
    await robot.disconnect();
  }
}

/** How chunks become commands for an arm. */
const jointCommands = ({ chain, planar }: ArmDescription): JointCommandOptions => ({
  joints: chain.joints.map(({ name }) => name),
  chain,
  planarOrientation: planar?.orientation,
  workspace: planar?.workspace,
});

function endedBy({ mode }: Robot): BridgeSummary["ended"] {
  return mode.name === "armed" ? "stopped" : mode.name;
}

function checkObservations({ spec }: Policy, { observationFeatures }: Robot): void {
  for (const { name, height, width } of spec.cameras) {
    const camera = observationFeatures.cameras.find((candidate) => candidate.name === name);
    if (camera?.height === height && camera.width === width) continue;
    const known = observationFeatures.cameras.map((each) => `${each.name} ${each.width} x ${each.height}`).join(", ");
    throw new ConfigError(
      `policy: needs camera ${name} of ${width} x ${height} pixels, got ${known || "no camera"}. Set the robot's cameras.`,
    );
  }
  const { stateNames } = observationFeatures;
  if (spec.stateSize !== 0 && spec.stateSize !== stateNames.length) {
    throw new ConfigError(
      `policy: needs a state of ${spec.stateSize} values, got ${stateNames.length} (${stateNames.join(", ")}). It was trained for another robot.`,
    );
  }
}

/** The first answer, which nobody follows: models load and compile on it. */
async function warmUp({ policy, robot, clock = systemClock, log = () => undefined, signal }: RunBridgeOptions) {
  const startNs = clock.nowNs();
  const limit = AbortSignal.any([AbortSignal.timeout(warmUpMs), ...(signal ? [signal] : [])]);
  try {
    await policy.infer(await robot.observe(), limit);
  } catch (error) {
    if (!limit.aborted || signal?.aborted) throw error;
    throw new RobotError(`policy: must answer within ${warmUpMs / 1000} s, but did not. Check it.`, { cause: error });
  }
  log(`the policy answered once in ${msFromNs(clock.nowNs() - startNs).toFixed(0)} ms`);
}

async function oneLoop(options: RunBridgeOptions, joints: JointCommandOptions, keptTool: Pose | null) {
  const { policy, robot, clock = systemClock, durationS = 0, endsWithTask = true } = options;
  const { timing = "auto", rateHz = 50, ttlMs = 100, maxAnswerAgeMs = 1000, policySilenceMs = 2000 } = options;
  const { chunkLength, rateHz: policyHz } = policy.spec;
  const chunkMs = (1000 * chunkLength) / policyHz;
  const startNs = clock.nowNs();
  const end = await runControlLoop({
    policy,
    robot,
    joints,
    clock,
    rateHz,
    ttlMs,
    maxAnswerAgeMs,
    policySilenceMs,
    robotTimeNs: () => robot.robotTimeNs(),
    measuredJoints: () => robot.measuredJoints(),
    keptTool,
    timing: timing === "auto" ? (chunkLength <= 2 ? "arrival" : "observation") : timing,
    replanMs: options.replanMs ?? Math.max(1000 / policyHz, chunkMs / 2),
    policyDeadlineMs: options.policyDeadlineMs ?? Math.min(2000, Math.max(300, chunkMs)),
    blendMs: Math.min(200, chunkMs / 2),
    coastMs: 200,
    signal: options.signal,
    onStatus: options.onStatus,
    isDone: () => {
      if (durationS > 0 && msFromNs(clock.nowNs() - startNs) >= 1000 * durationS) return "time";
      return endsWithTask && robot.taskStatus?.done ? "task" : null;
    },
  });
  if (end.reason !== "done") return { ...end, reason: end.reason };
  const reason = end.detail === "time" ? ("time" as const) : ("task" as const);
  const outcome = robot.taskStatus?.success ? "the task is solved" : "the task is over, not solved";
  return { ...end, reason, detail: reason === "time" ? `${durationS} s are over` : outcome };
}

/** @throws RobotError when the tool is not where planar work is done */
function workingTool(robot: BridgeRobot, { planar }: ArmDescription): Pose {
  const tool = robot.toolPose();
  if (!planar) return tool;
  const [x, y, z] = tool.position;
  if (Math.abs(z - planar.toolHeightM) > heightToleranceM) {
    throw new RobotError(
      `robot: the tool must be at its working height of ${planar.toolHeightM} m, got ${z.toFixed(3)} m. Move the arm to its start.`,
    );
  }
  return { position: [x, y, planar.toolHeightM], quaternion: tool.quaternion };
}

/** After a cut: waits until the robot could be armed for a whole second. @returns false when a human has to look */
async function isWellAgain(options: RunBridgeOptions): Promise<boolean> {
  const { robot, rearm = "never", clock = systemClock, signal, log = () => undefined } = options;
  if (rearm === "never" || robot.mode.name !== "stale") return false;
  log(`${robot.mode.reason}: waiting for the robot to come back`);
  const startNs = clock.nowNs();
  let calmNs: bigint | null = null;
  while (!signal?.aborted && robot.mode.name === "stale" && msFromNs(clock.nowNs() - startNs) < rearmWaitMs) {
    const problem = robot.armingProblem();
    if (problem && problem.kind !== "wait") {
      log(`not armed again: ${problem.reason}`);
      return false;
    }
    if (problem) calmNs = null;
    else calmNs ??= clock.nowNs();
    if (calmNs !== null && msFromNs(clock.nowNs() - calmNs) >= rearmCalmMs) return true;
    await clock.sleep(20, signal).catch(() => undefined);
  }
  return false;
}
