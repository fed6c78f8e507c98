/**
 * @file An arm behind rosbridge, as a `Robot`. It is the last gate before the socket: every command is checked against the
 * measured joints and the limits, stamped in the robot's time, and carries its time-to-live as the last point of its
 * trajectory, which the controller enforces. What leaves a doubt latches a mode that only `arm` ends; a hold is repeated
 * until the joints are at rest. What a cut link did not carry is never sent later.
 */
import { type Clock, systemClock } from "#core/clock.ts";
import type { ActionSpace } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { ObservationFeatures, Robot, RobotCommand, RobotMode } from "#core/contracts/robot.ts";
import { RobotError } from "#core/errors.ts";
import { forwardKinematics, type Pose } from "#core/geometry/kinematics.ts";
import {
  emptyTrajectory,
  encodeBool,
  encodeJointTrajectory,
  type JointTrajectory,
  messageTypes,
  targetTrajectory,
} from "../protocol/messages.ts";
import { msFromNs, nsFromMs } from "../protocol/stamp.ts";
import type { TaskStatus } from "../protocol/task.ts";
import { topics as defaultTopics } from "../protocol/topics.ts";
import { checkLimits, limitCommand, type SafetyLimits, type SentCommand, shortestStepS } from "../safety.ts";
import { type ArmDescription, defaultSafetyTuning, type SafetyTuning, safetyLimits } from "./arm-description.ts";
import { type ArmLinks, ArmSenses, type ArmTopics } from "./arm-senses.ts";
import type { CameraOptions } from "./camera-feed.ts";
import { isAtRest, Standstill } from "./standstill.ts";

export type RosArmOptions = {
  readonly description: ArmDescription;
  readonly cameras: readonly CameraOptions[];
  /** Fixed instruction; without it the topic's. */
  readonly instruction?: string | undefined;
  readonly safety?: Partial<SafetyTuning> | undefined;
  readonly topics?: Partial<ArmTopics> | undefined;
  /** Time from one command to the next that is expected. */
  readonly periodMs?: number;
  /** Time in which the controller is to reach a command's target: two periods keep the motion even. */
  readonly motionMs?: number;
  readonly maxStateAgeMs?: number;
  readonly maxCameraAgeMs?: number;
  readonly maxClockUncertaintyMs?: number;
  /** A slower network makes commands too old on their way. */
  readonly maxRoundTripMs?: number;
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
};

export type ArmCounters = {
  readonly sent: number;
  /** Commands that were not sent, by reason. */
  readonly held: Readonly<Record<string, number>>;
  /** Commands that the limits changed, by limit. */
  readonly clamped: Readonly<Record<string, number>>;
  /** How often the arm was told to stop, by reason. */
  readonly stops: Readonly<Record<string, number>>;
  /** Commands of another controller that were heard. */
  readonly foreign: number;
};

/** An arm that was pushed farther than this while nobody watched is looked at before it moves again, rad. */
const poseMatchRad = 0.15;
const watchMs = 10;
const heldUpNs = nsFromMs(3 * watchMs);
/** How long after a hold-up of this program messages may still come in, ms. */
const patienceMs = 50;
const rank: Readonly<Record<RobotMode, number>> = { disarmed: 0, armed: 0, hold: 1, stale: 2, estop: 3 };

/** Can be connected once; a new one is made for the next time. */
export class RosArm implements Robot {
  readonly observationFeatures: ObservationFeatures;
  readonly actionFeatures: ActionSpace;
  readonly limits: SafetyLimits;
  private readonly description: ArmDescription;
  private readonly topics: ArmTopics;
  private readonly links: ArmLinks;
  private readonly clock: Clock;
  private readonly log: (line: string) => void;
  private readonly periodMs: number;
  private readonly motionMs: number;
  private readonly connectTimeoutMs: number;
  private readonly senses: ArmSenses;
  private readonly standstill: Standstill;
  private readonly closing = new AbortController();
  private readonly held: Record<string, number> = {};
  private readonly clamped: Record<string, number> = {};
  private readonly stops: Record<string, number> = {};
  private sent = 0;
  private current: { readonly name: RobotMode; readonly reason: string } = {
    name: "disarmed",
    reason: "not connected",
  };
  private watching: Promise<void> | null = null;
  private previous: { readonly command: SentCommand; readonly atNs: bigint } | null = null;
  private watchedNs = 0n;
  private patientUntilNs = 0n;
  private lastSequence = -1;
  private lastStampNs = 0n;
  /** Where the arm must still be for the next `arm`. */
  private poseAtStop: Float64Array | null = null;

  /** @throws ConfigError when the limits contradict each other */
  constructor(options: RosArmOptions, links: ArmLinks) {
    const { description, cameras, instruction, clock = systemClock, log = () => undefined } = options;
    this.description = description;
    this.links = links;
    this.clock = clock;
    this.log = log;
    this.topics = { ...defaultTopics, ...options.topics };
    this.periodMs = options.periodMs ?? 20;
    this.motionMs = options.motionMs ?? 2 * this.periodMs;
    this.connectTimeoutMs = options.connectTimeoutMs ?? 5000;
    this.limits = safetyLimits(description, { ...defaultSafetyTuning, ...options.safety });
    checkLimits(this.limits);
    const { maxStateAgeMs = 200, maxCameraAgeMs = 500, maxClockUncertaintyMs = 25, maxRoundTripMs = 100 } = options;
    const ages = { maxStateAgeMs, maxCameraAgeMs, maxClockUncertaintyMs, maxRoundTripMs };
    const alarm = (mode: "hold" | "stale" | "estop", reason: string) => this.latch(mode, reason);
    const { topics } = this;
    this.senses = new ArmSenses({ description, cameras, instruction, topics, ...ages, clock, log, alarm }, links);
    this.standstill = new Standstill(
      (target) => this.sayHold(target),
      () => log("the arm did not come to rest within 2 s: press its own e-stop"),
    );
    this.observationFeatures = {
      cameras: cameras.map(({ name, height, width }) => ({ name, height, width })),
      stateNames: description.stateNames,
      stateUnits: description.stateNames.map((name) => (name.startsWith("tip ") ? "m" : "rad")),
    };
    const { names } = this.senses;
    const { positionLow: low, positionHigh: high } = this.limits;
    this.actionFeatures = { kind: "joint-position", names, units: names.map(() => "rad"), limits: { low, high } };
  }

  get mode(): { readonly name: RobotMode; readonly reason: string } {
    return this.current;
  }

  get taskStatus(): TaskStatus | null {
    return this.senses.task;
  }

  get counters(): ArmCounters {
    const { sent, held, clamped, stops } = this;
    return { sent, held: { ...held }, clamped: { ...clamped }, stops: { ...stops }, foreign: this.senses.echo.foreign };
  }

  /** The robot's time, nanoseconds; see `RobotTime.earliestNs`. */
  robotTimeNs(): bigint {
    return this.senses.time.earliestNs();
  }

  /** rad[J] @throws RobotError when the joints are not known now */
  measuredJoints(): Float64Array {
    return this.senses.freshJoints().positions.slice();
  }

  /** The tool in the world, where it is measured to be. @throws RobotError when the joints are not known now */
  toolPose(): Pose {
    return forwardKinematics(this.description.chain, this.senses.freshJoints().positions);
  }

  /** @throws RobotError when the server, the joints or a camera cannot be found within the time limit */
  async connect(): Promise<void> {
    const { command, camera, estop } = this.links;
    try {
      for (const link of [command, estop, camera]) await link.open();
      this.watching = this.watch();
      for (let requests = 0; requests < 5 && (await this.senses.time.ask()); requests++);
      await this.senses.waitForFirst(this.connectTimeoutMs);
    } catch (error) {
      await this.disconnect();
      throw error;
    }
    if (this.current.name === "disarmed") this.current = { name: "disarmed", reason: "not armed yet" };
  }

  async observe(): Promise<Observation> {
    return this.senses.observe();
  }

  async arm(): Promise<void> {
    const problem = this.armingProblem();
    // Whoever arms again has been told that the arm was moved.
    if (!problem || problem.kind === "moved") this.poseAtStop = null;
    if (problem) throw new RobotError(`robot: cannot be armed: ${problem.reason}`);
    this.previous = null;
    this.lastSequence = -1;
    this.lastStampNs = 0n;
    this.standstill.cancel();
    this.current = { name: "armed", reason: "" };
  }

  async send(command: RobotCommand): Promise<RobotCommand | null> {
    if (this.current.name !== "armed") return null;
    const problem = this.commandProblem(command);
    if (problem) return this.refuse(problem);
    const { clock, previous } = this;
    const dtS = (previous ? msFromNs(clock.nowNs() - previous.atNs) : this.periodMs) / 1000;
    if (previous && dtS < shortestStepS) return this.refuse("commands follow each other too fast");
    const measured = this.senses.freshJoints();
    const verdict = limitCommand(this.limits, measured, previous?.command ?? null, command.values, dtS);
    if (verdict.kind === "hold") {
      this.latch("hold", verdict.reasons.join(", "));
      return this.refuse(this.current.reason);
    }
    const { positions } = verdict.command;
    const stampNs = this.nextStampNs();
    const { ttlMs } = command;
    const timing = { stampNs, motionMs: Math.min(this.motionMs, ttlMs), ttlMs };
    if (!this.say(targetTrajectory(this.senses.names, positions, timing))) {
      this.latch("stale", "the link is down or congested");
      return this.refuse(this.current.reason);
    }
    this.previous = { command: verdict.command, atNs: clock.nowNs() };
    this.lastSequence = command.sequence;
    this.sent += 1;
    for (const reason of verdict.reasons) count(this.clamped, reason);
    return { ...command, values: Float32Array.from(positions), stampNs };
  }

  async hold(reason: string, { latch = false } = {}): Promise<void> {
    if (this.current.name !== "armed") return;
    if (latch) this.latch("hold", reason);
    else {
      this.current = { name: "armed", reason };
      this.stop(reason);
    }
  }

  /** Stops the arm and tells everybody who listens on the e-stop topic. Only a release and `arm` lead back. */
  async pressEstop(reason: string): Promise<void> {
    this.latch("estop", reason);
    this.links.estop.publish(this.topics.estop, messageTypes.bool, encodeBool(true), { latch: true });
  }

  /** Holds, waits up to half a second for the arm to come to rest, and lets go. */
  async disconnect(): Promise<void> {
    if (this.current.name === "armed") this.stop("disconnected");
    this.current = { name: "disarmed", reason: "disconnected" };
    for (let waits = 0; waits < 10 && this.standstill.isUnderWay && this.links.command.isUp; waits++) {
      await this.clock.sleep(50);
    }
    this.closing.abort();
    await this.watching;
    await Promise.all([this.links.command.close(), this.links.camera.close(), this.links.estop.close()]);
  }

  private async watch(): Promise<void> {
    const { clock, senses } = this;
    const { signal } = this.closing;
    this.watchedNs = clock.nowNs();
    while (!signal.aborted) {
      const nowNs = clock.nowNs();
      if (nowNs - this.watchedNs > heldUpNs) this.patientUntilNs = nowNs + nsFromMs(patienceMs);
      this.watchedNs = nowNs;
      senses.time.keepUp();
      if (!this.links.command.isUp) this.standstill.cancel();
      this.standstill.tick(senses.latestJoints, nowNs);
      if (this.current.name === "armed" && !this.wasHeldUp(nowNs)) {
        const problem = senses.jointsProblem() ?? senses.clockProblem();
        if (problem) this.latch("stale", problem);
      }
      await clock.sleep(watchMs, signal).catch(() => undefined);
    }
  }

  /**
   * This program itself stood still (a busy machine, garbage collection) or did so a moment ago: nothing is called stale
   * before the messages that wait in its sockets were read.
   */
  private wasHeldUp(nowNs: bigint): boolean {
    return nowNs < this.patientUntilNs || nowNs - this.watchedNs > heldUpNs;
  }

  /** Why `arm` would refuse now, or null. "wait": may pass by itself; "moved" and "human": somebody must look first. */
  armingProblem(): { readonly kind: "wait" | "moved" | "human"; readonly reason: string } | null {
    const { command, estop } = this.links;
    const { senses } = this;
    const human = (reason: string) => ({ kind: "human", reason }) as const;
    const wait = (reason: string) => ({ kind: "wait", reason }) as const;
    if (this.closing.signal.aborted || !this.watching) return human("it is not connected. Connect first.");
    if (!command.isUp || !estop.isUp) return wait("the link is down. Wait for the reconnection.");
    if (senses.estopIsOn) return human(`the e-stop is on. Release it (false on ${this.topics.estop}), then arm again.`);
    const problem = senses.observationProblem();
    if (problem) return wait(`${problem}. Wait for fresh observations.`);
    const clockProblem = senses.clockProblem();
    if (clockProblem) return wait(`${clockProblem}. The network is too slow, or rosapi does not run.`);
    const foreignMs = senses.echo.sinceMs(this.clock.nowNs());
    if (foreignMs !== null && foreignMs < 1000) {
      return human("another program sends commands to it. Stop that program first.");
    }
    const joints = senses.freshJoints();
    if (!isAtRest(joints)) return wait("it is moving. Wait until it is at rest.");
    const before = this.poseAtStop ?? joints.positions;
    const movedRad = Math.max(...joints.positions.map((value, joint) => Math.abs(value - before[joint]!)));
    if (movedRad <= poseMatchRad) return null;
    const reason = `it was moved by ${movedRad.toFixed(2)} rad while nobody watched. Look at it, then arm again.`;
    return { kind: "moved", reason };
  }

  /** Why a command may not go out, before its values are looked at. */
  private commandProblem({ stampNs, sequence, ttlMs }: RobotCommand): string | null {
    const stale = this.senses.jointsProblem() ?? this.senses.clockProblem();
    if (stale) {
      if (this.wasHeldUp(this.clock.nowNs())) return "this program was held up";
      this.latch("stale", stale);
      return stale;
    }
    if (this.standstill.isUnderWay) return "the arm is still coming to rest";
    if (sequence <= this.lastSequence) return "the command is out of order";
    const ageMs = msFromNs(this.robotTimeNs() - stampNs);
    if (!(ttlMs > 0) || ageMs > ttlMs) return "the command is older than its time-to-live";
    return ageMs < -ttlMs ? "the command is stamped in the future" : null;
  }

  private refuse(reason: string): null {
    count(this.held, reason);
    if (this.current.name === "armed") this.current = { name: "armed", reason };
    return null;
  }

  private latch(name: "hold" | "stale" | "estop", reason: string): void {
    const { current } = this;
    // A disarmed arm has nothing to stop; but an e-stop must be seen before it is armed.
    if (current.name === "disarmed" && name !== "estop") return;
    if (rank[name] <= rank[current.name]) return;
    if (current.name === "armed") {
      const lastTarget = this.previous?.command.positions ?? this.senses.latestJoints?.positions;
      this.poseAtStop = lastTarget?.slice() ?? null;
    }
    this.current = { name, reason };
    this.log(`${name}: ${reason}`);
    this.stop(reason);
  }

  /**
   * Stays at the last target, which it was told before, so that a hold starts no motion of its own; or where it is
   * measured to be, when it did not get near that target.
   */
  private stop(reason: string): void {
    count(this.stops, reason);
    const told = this.previous?.command.positions ?? null;
    const measured = this.senses.jointsProblem() === null ? this.senses.freshJoints().positions : null;
    const isFar = told?.some(
      (value, joint) => Math.abs(value - (measured ?? told)[joint]!) > this.limits.trackingErrorRad,
    );
    this.previous = null;
    // Over a dead link nothing can be said, and later it may no longer be right: the arm stops by the time-to-live.
    if (this.links.command.isUp) this.standstill.begin(isFar ? measured : (told ?? measured), this.clock.nowNs());
    else this.standstill.cancel();
  }

  /** Older controllers stop at an empty trajectory, newer ones refuse it and stop at the target. */
  private sayHold(target: Float64Array | null): void {
    this.say(emptyTrajectory(this.senses.names));
    if (!target?.every(Number.isFinite) || !this.senses.time.estimate()) return;
    const timing = { stampNs: this.nextStampNs(), motionMs: this.motionMs, ttlMs: 100 };
    this.say(targetTrajectory(this.senses.names, target, timing));
  }

  /** Strictly increasing, so that a receiver can tell what was overtaken. */
  private nextStampNs(): bigint {
    const nowNs = this.robotTimeNs();
    this.lastStampNs = nowNs > this.lastStampNs ? nowNs : this.lastStampNs + 1n;
    return this.lastStampNs;
  }

  private say(trajectory: JointTrajectory): boolean {
    this.senses.echo.said(trajectory.stampNs);
    return this.links.command.publish(
      this.topics.command,
      messageTypes.jointTrajectory,
      encodeJointTrajectory(trajectory),
    );
  }
}

function count(counts: Record<string, number>, reason: string): void {
  // Numbers differ from time to time; the kind of trouble does not.
  const key = reason.replace(/-?\d+(\.\d+)?/g, "#");
  counts[key] = (counts[key] ?? 0) + 1;
}
