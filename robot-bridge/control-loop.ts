/**
 * @file The loop between a policy and a robot: commands go out at a fixed rate, and the policy is asked beside it, so that
 * a slow policy never makes a command late. Each answer becomes a path of the joints that replaces the old one by time.
 * When no usable answer comes in time the path ends, the arm brakes along its limits and holds; when none comes for long,
 * or the policy is broken, the robot is latched in "hold" and the loop ends. Nothing is ever sent twice or kept for later.
 */
import type { Clock } from "#core/clock.ts";
import type { ActionSpace } from "#core/contracts/action.ts";
import type { Policy } from "#core/contracts/policy.ts";
import type { Robot } from "#core/contracts/robot.ts";
import { RobotError } from "#core/errors.ts";
import type { Pose } from "#core/geometry/kinematics.ts";
import { CommandHistory, PathFollower } from "./control/joint-path.ts";
import { LoopStatistics, type LoopSummary } from "./control/loop-statistics.ts";
import { type PolicyAnswer, PolicyAsker } from "./control/policy-asker.ts";
import { type JointCommandOptions, planJoints } from "./joint-commands.ts";
import { msFromNs, nsFromMs } from "./protocol/stamp.ts";

export type ControlLoopOptions = {
  readonly robot: Robot;
  readonly policy: Policy;
  readonly joints: JointCommandOptions;
  /** Paces the loop. */
  readonly clock: Clock;
  /** The robot's time now: what stamps of observations and commands are measured in. */
  readonly robotTimeNs: () => bigint;
  /** rad[J], where the joints are now. @throws RobotError when that is not known */
  readonly measuredJoints: () => Float64Array;
  /** Tool pose whose height and orientation planar actions keep. */
  readonly keptTool?: Pose | null;
  /** Commands per second. */
  readonly rateHz: number;
  /** How long after its stamp a command may still be executed. */
  readonly ttlMs: number;
  /**
   * When a chunk's first action starts: with its observation (what is past by the time of the answer is left out) or when
   * the answer arrives (for policies whose chunks are shorter than their latency).
   */
  readonly timing: "observation" | "arrival";
  /** Time between questions to the policy. */
  readonly replanMs: number;
  readonly policyDeadlineMs: number;
  /** An answer to an older observation is not followed. */
  readonly maxAnswerAgeMs: number;
  /** Time over which the jump from one chunk's path to the next fades out. */
  readonly blendMs: number;
  /** How long the arm waits at the end of a path, under fresh commands, before it is told to hold. */
  readonly coastMs: number;
  /** Without a usable answer for this long the robot is latched in "hold". */
  readonly policySilenceMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Asked every tick; a text ends the loop. */
  readonly isDone?: () => string | null;
  readonly onStatus?: ((status: LoopStatus) => void) | undefined;
  readonly statusEveryMs?: number;
};

export type LoopStatus = {
  readonly seconds: number;
  readonly mode: Robot["mode"];
  /** "following" a path, "braking" at its end, or "waiting" for the policy. */
  readonly state: "following" | "braking" | "waiting";
  readonly summary: LoopSummary;
};

export type LoopEnd = {
  readonly reason: "stopped" | "done" | "not armed";
  readonly detail: string;
  readonly summary: LoopSummary;
};

/** Joints that move less than this from one command to the next are at rest, rad. */
const restRad = 1e-5;

const sameSpace = (left: ActionSpace, right: ActionSpace): boolean =>
  left === right ||
  (left.kind === right.kind && left.gripper === right.gripper && left.names.join("\n") === right.names.join("\n"));

/** Runs until `signal` fires, `isDone` says so or the robot is no longer armed. The robot must be armed already. */
export const runControlLoop = (options: ControlLoopOptions): Promise<LoopEnd> => new ControlLoop(options).run();

class ControlLoop {
  private readonly options: ControlLoopOptions;
  private readonly statistics = new LoopStatistics();
  private readonly asker: PolicyAsker;
  private readonly follower: PathFollower;
  private readonly history = new CommandHistory();
  private readonly startNs: bigint;
  private lastSent: ArrayLike<number> | null = null;
  private restSinceNs: bigint | null = null;
  private nextQuestionNs: bigint;
  private lastUseNs: bigint;
  private nextStatusNs: bigint;
  private sequence = 0;
  private state: LoopStatus["state"] = "waiting";

  constructor(options: ControlLoopOptions) {
    this.options = options;
    const { robot, policy, clock, policyDeadlineMs, robotTimeNs } = options;
    const observe = async () => {
      const observation = await robot.observe();
      this.statistics.observationAge.add(msFromNs(robotTimeNs() - observation.stampNs));
      return observation;
    };
    this.asker = new PolicyAsker({ policy, clock, observe, deadlineMs: policyDeadlineMs });
    this.follower = new PathFollower({ blendMs: options.blendMs });
    this.startNs = clock.nowNs();
    this.nextQuestionNs = this.startNs;
    this.lastUseNs = this.startNs;
    this.nextStatusNs = this.startNs;
  }

  async run(): Promise<LoopEnd> {
    const { clock, rateHz, signal, robot, isDone } = this.options;
    const periodNs = nsFromMs(1000 / rateHz);
    let dueNs = clock.nowNs();
    try {
      for (;;) {
        // After a hold-up of this program the messages that wait in its sockets are read first.
        if (clock.nowNs() - dueNs > periodNs) await clock.sleep(0, signal).catch(() => undefined);
        const nowNs = clock.nowNs();
        if (signal?.aborted) return this.end("stopped", "the run was stopped");
        if (robot.mode.name !== "armed") return this.end("not armed", robot.mode.reason);
        const done = isDone?.();
        if (done) return this.end("done", done);
        this.statistics.tickLateness.add(msFromNs(nowNs - dueNs));
        await this.tick(nowNs);
        dueNs += periodNs;
        const behindNs = clock.nowNs() - dueNs;
        if (behindNs > -periodNs / 4n) {
          // No bursts: ticks that were missed, or that would follow at once, are gone.
          const missed = behindNs > 0n ? behindNs / periodNs + 1n : 1n;
          this.statistics.ticksMissed += Number(missed);
          dueNs += missed * periodNs;
        }
        await clock.sleep(Math.max(0, msFromNs(dueNs - clock.nowNs())), signal).catch(() => undefined);
      }
    } finally {
      this.asker.cancel();
    }
  }

  private async tick(nowNs: bigint): Promise<void> {
    const { robot, replanMs, policySilenceMs, onStatus, statusEveryMs = 500 } = this.options;
    const answer = this.asker.take();
    if (answer) await this.consider(answer);
    if (robot.mode.name === "armed" && msFromNs(nowNs - this.lastUseNs) > policySilenceMs) {
      await this.hold(`the policy gave no usable answer for ${policySilenceMs} ms`, true);
    }
    if (robot.mode.name === "armed" && nowNs >= this.nextQuestionNs && !this.asker.isBusy) {
      this.nextQuestionNs = nowNs + nsFromMs(replanMs);
      this.asker.ask();
    }
    if (robot.mode.name === "armed") await this.command();
    if (onStatus && nowNs >= this.nextStatusNs) {
      this.nextStatusNs = nowNs + nsFromMs(statusEveryMs);
      onStatus(this.status());
    }
  }

  private async consider(answer: PolicyAnswer): Promise<void> {
    const { statistics } = this;
    switch (answer.kind) {
      case "late":
        statistics.late += 1;
        return;
      case "blind":
        return statistics.countBlind(answer.reason);
      case "failed":
        return statistics.countFailed(answer.error);
      case "chunk": {
        statistics.policyLatency.add(answer.latencyMs);
        const refusal = this.follow(answer);
        if (!refusal) return;
        statistics.countRefused(refusal.reason);
        if (refusal.isBroken) await this.hold(refusal.reason, true);
      }
    }
  }

  /** Takes a chunk over. @returns why not, or null */
  private follow({
    chunk,
    observation,
  }: PolicyAnswer & { kind: "chunk" }): { reason: string; isBroken: boolean } | null {
    const {
      policy,
      robotTimeNs,
      timing,
      joints,
      keptTool = null,
      maxAnswerAgeMs,
      measuredJoints,
      clock,
    } = this.options;
    if (!sameSpace(chunk.space, policy.spec.space)) {
      return { reason: "the policy answered in another action space than it promised", isBroken: true };
    }
    if (chunk.stampNs !== observation.stampNs) {
      return { reason: "the policy answered another observation than it was shown", isBroken: true };
    }
    const nowNs = robotTimeNs();
    if (msFromNs(nowNs - observation.stampNs) > maxAnswerAgeMs) {
      this.statistics.outdated += 1;
      return null;
    }
    const startNs = timing === "observation" ? observation.stampNs : nowNs;
    let from: Float64Array;
    try {
      from = this.history.at(startNs) ?? measuredJoints();
    } catch (error) {
      if (!(error instanceof RobotError)) throw error;
      this.statistics.countBlind(error.message);
      return null;
    }
    const plan = planJoints(joints, chunk, from, startNs, keptTool);
    if (plan.kind === "refused") return plan;
    if (!this.follower.follow(plan.path, nowNs)) {
      this.statistics.outdated += 1;
      return null;
    }
    this.statistics.used += 1;
    this.statistics.actionsClipped += plan.clipped;
    this.lastUseNs = clock.nowNs();
    return null;
  }

  /** Sends where the joints are to be one period from now. */
  private async command(): Promise<void> {
    const { robot, robotTimeNs, rateHz, ttlMs, coastMs } = this.options;
    const stampNs = robotTimeNs();
    const dueNs = stampNs + nsFromMs(1000 / rateHz);
    const sample = this.follower.sample(dueNs);
    if (!sample) {
      this.state = "waiting";
      return;
    }
    const values = Float32Array.from(sample.positions);
    const sent = await robot.send({ values, stampNs, sequence: this.sequence++, ttlMs });
    if (!sent) {
      this.statistics.held += 1;
      this.statistics.countHold(robot.mode.reason);
      this.forget();
      return;
    }
    this.statistics.sent += 1;
    if (farthest(sent.values, values) > 0) this.statistics.clamped += 1;
    const isAtRest = this.lastSent !== null && farthest(sent.values, this.lastSent) < restRad;
    this.lastSent = sent.values;
    this.history.add(dueNs, sent.values);
    this.state = sample.isOver ? "braking" : "following";
    if (!sample.isOver || !isAtRest) this.restSinceNs = null;
    else this.restSinceNs ??= stampNs;
    if (this.restSinceNs !== null && msFromNs(stampNs - this.restSinceNs) >= coastMs) {
      await this.hold("the policy is late", false);
    }
  }

  private async hold(reason: string, latch: boolean): Promise<void> {
    this.statistics.countHold(reason);
    this.forget();
    await this.options.robot.hold(reason, { latch });
  }

  private forget(): void {
    this.follower.clear();
    this.history.clear();
    this.lastSent = null;
    this.restSinceNs = null;
    this.state = "waiting";
  }

  private status(): LoopStatus {
    const seconds = msFromNs(this.options.clock.nowNs() - this.startNs) / 1000;
    return { seconds, mode: this.options.robot.mode, state: this.state, summary: this.statistics.summary(seconds) };
  }

  private end(reason: LoopEnd["reason"], detail: string): LoopEnd {
    return { reason, detail, summary: this.status().summary };
  }
}

function farthest(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let distance = 0;
  for (let index = 0; index < left.length; index++) {
    distance = Math.max(distance, Math.abs(left[index]! - right[index]!));
  }
  return distance;
}
