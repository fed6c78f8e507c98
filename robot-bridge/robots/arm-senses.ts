/**
 * @file What is known of an arm right now: joints, pictures, task, e-stop, its clock, and whether somebody else commands
 * it. Everything has an age; what is too old is not known.
 */
import type { Clock } from "#core/clock.ts";
import type { Image } from "#core/contracts/image.ts";
import type { Observation } from "#core/contracts/observation.ts";
import { FormatError, RobotError } from "#core/errors.ts";
import { forwardKinematics } from "#core/geometry/kinematics.ts";
import { decodeBool, decodeString, messageTypes } from "../protocol/messages.ts";
import { msFromNs, nsFromMs } from "../protocol/stamp.ts";
import { decodeTaskStatus, type TaskStatus } from "../protocol/task.ts";
import type { ArmDescription } from "./arm-description.ts";
import type { ArmLink } from "./arm-link.ts";
import { CameraFeed, type CameraOptions } from "./camera-feed.ts";
import { CommandEcho } from "./command-echo.ts";
import { JointFeed, type MeasuredJoints } from "./joint-feed.ts";
import { RobotTime } from "./robot-time.ts";

/** Three connections, so that pictures delay no command and nothing delays the e-stop. */
export type ArmLinks = { readonly command: ArmLink; readonly camera: ArmLink; readonly estop: ArmLink };

export type ArmTopics = {
  readonly jointStates: string;
  readonly command: string;
  readonly estop: string;
  readonly instruction: string;
  readonly status: string;
};

export type SensesOptions = {
  readonly description: ArmDescription;
  readonly cameras: readonly CameraOptions[];
  /** Fixed instruction; without it the topic's. */
  readonly instruction?: string | undefined;
  readonly topics: ArmTopics;
  readonly maxStateAgeMs: number;
  readonly maxCameraAgeMs: number;
  readonly maxClockUncertaintyMs: number;
  readonly maxRoundTripMs: number;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Called the moment something is heard that must stop the arm. */
  readonly alarm: (mode: "hold" | "stale" | "estop", reason: string) => void;
};

export class ArmSenses {
  readonly time: RobotTime;
  readonly echo = new CommandEcho();
  readonly names: readonly string[];
  estopIsOn = false;
  task: TaskStatus | null = null;
  private readonly options: SensesOptions;
  private readonly joints: JointFeed;
  private readonly cameras: readonly CameraFeed[];
  private instruction: string;

  constructor(options: SensesOptions, links: ArmLinks) {
    this.options = options;
    this.names = options.description.chain.joints.map(({ name }) => name);
    this.instruction = options.instruction ?? "";
    this.joints = new JointFeed(this.names);
    this.cameras = options.cameras.map((camera) => new CameraFeed(camera));
    this.time = new RobotTime(links.command, options.clock);
    this.listenForCommands(links.command);
    this.listenForTask(links.command);
    this.listenForEstop(links.estop);
    this.listenForPictures(links.camera);
  }

  /** The joints as they came last, however old; null when none came since the last reconnection. */
  get latestJoints(): MeasuredJoints | null {
    return this.joints.latest;
  }

  /** @throws RobotError when the joints are not known now */
  freshJoints(): MeasuredJoints {
    const problem = this.jointsProblem();
    if (problem) throw new RobotError(`observation: ${problem}. Check the robot.`);
    return this.joints.latest!;
  }

  /** @throws RobotError when the joints or a picture are not known now */
  observe(): Observation {
    const joints = this.freshJoints();
    let stampNs = joints.stampNs;
    const images: Record<string, Image> = {};
    for (const camera of this.cameras) {
      const problem = this.cameraProblem(camera);
      if (problem) throw new RobotError(`observation: ${problem}. Check the camera.`);
      images[camera.options.name] = camera.image()!;
      if (camera.stamps!.stampNs < stampNs) stampNs = camera.stamps!.stampNs;
    }
    return { images, state: this.stateOf(joints), instruction: this.instruction, stampNs };
  }

  /** Why the joints cannot be acted on, or null. */
  jointsProblem(): string | null {
    const { latest, problem } = this.joints;
    if (!latest) return problem ?? `nothing came on ${this.options.topics.jointStates}`;
    if (!latest.positions.every(Number.isFinite)) return "the measured position is not finite";
    return this.ageProblem("joint states", latest, this.options.maxStateAgeMs);
  }

  /** Why there is nothing to show to a policy, or null. */
  observationProblem(): string | null {
    return this.jointsProblem() ?? this.cameras.map((feed) => this.cameraProblem(feed)).find(Boolean) ?? null;
  }

  /** Why commands cannot be stamped, or null. */
  clockProblem(): string | null {
    const { maxClockUncertaintyMs, maxRoundTripMs } = this.options;
    const estimate = this.time.estimate();
    if (!estimate) return "the robot's clock is not known";
    if (estimate.uncertaintyMs > maxClockUncertaintyMs) {
      return `the robot's clock is known only to ${estimate.uncertaintyMs.toFixed(0)} ms`;
    }
    const roundTripMs = this.time.recentRoundTripMs() ?? 0;
    return roundTripMs > maxRoundTripMs ? `the way to the robot and back takes ${roundTripMs.toFixed(0)} ms` : null;
  }

  /** Waits until joints and pictures have come. @throws RobotError when they do not */
  async waitForFirst(timeoutMs: number): Promise<void> {
    const { clock } = this.options;
    const endNs = clock.nowNs() + nsFromMs(timeoutMs);
    for (let problem = this.observationProblem(); problem; problem = this.observationProblem()) {
      if (clock.nowNs() > endNs) throw new RobotError(`robot: ${problem}. ${this.advice()}`);
      await clock.sleep(20);
    }
  }

  private advice(): string {
    const { seenNames, latest } = this.joints;
    if (latest || seenNames.length === 0) return "Is the robot's driver running, and are the topics' names right?";
    const { jointStates } = this.options.topics;
    return `This arm needs the joints ${this.names.join(", ")}; ${jointStates} has ${seenNames.join(", ")}. Choose the right robot.`;
  }

  private listenForCommands(link: ArmLink): void {
    const { topics, clock, alarm } = this.options;
    const hearJoints = (message: unknown) => {
      const joints = this.joints.accept(message, clock.nowNs());
      if (!joints) return;
      this.time.noteStamp(joints.stampNs);
      if (!joints.positions.every(Number.isFinite)) alarm("hold", "the measured position is not finite");
    };
    link.subscribe(topics.jointStates, messageTypes.jointState, hearJoints, { periodMs: 8 });
    link.subscribe(topics.command, messageTypes.jointTrajectory, (message) => {
      if (this.echo.hear(message, clock.nowNs())) alarm("hold", "another program sends commands to this arm");
    });
    link.onChange(({ isUp, reason }) => {
      if (!isUp) alarm("stale", `the link was lost: ${reason}`);
      // What was known before a cut says nothing about now.
      this.joints.clear();
      this.time.reset();
    });
  }

  private listenForTask(link: ArmLink): void {
    const { topics, instruction, log } = this.options;
    const listen = (topic: string, act: (message: unknown) => void) =>
      link.subscribe(topic, messageTypes.string, (message) => {
        try {
          act(message);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          log(`ignored on ${topic}: ${error.message}`);
        }
      });
    listen(topics.status, (message) => {
      this.task = decodeTaskStatus(message);
    });
    if (instruction !== undefined) return;
    listen(topics.instruction, (message) => {
      this.instruction = decodeString(message);
    });
  }

  private listenForEstop(link: ArmLink): void {
    const { topics, alarm } = this.options;
    link.subscribe(topics.estop, messageTypes.bool, (message) => {
      try {
        this.estopIsOn = decodeBool(message);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        this.estopIsOn = true;
      }
      if (this.estopIsOn) alarm("estop", "the e-stop is on");
    });
    link.onChange(({ isUp, reason }) => {
      if (!isUp) alarm("stale", `the e-stop's link was lost: ${reason}`);
    });
  }

  private listenForPictures(link: ArmLink): void {
    const { clock, maxCameraAgeMs } = this.options;
    for (const feed of this.cameras) {
      const hear = (message: unknown) => feed.accept(message, clock.nowNs());
      link.subscribe(feed.options.topic, messageTypes.compressedImage, hear, { periodMs: maxCameraAgeMs / 10 });
    }
    link.onChange(() => {
      for (const feed of this.cameras) feed.clear();
    });
  }

  private cameraProblem(feed: CameraFeed): string | null {
    const { name, topic } = feed.options;
    if (!feed.stamps) return `camera ${name}: ${feed.problem ?? `nothing came on ${topic}`}`;
    return this.ageProblem(`camera ${name}`, feed.stamps, this.options.maxCameraAgeMs);
  }

  private ageProblem(
    what: string,
    { stampNs, receivedNs }: { readonly stampNs: bigint; readonly receivedNs: bigint },
    limitMs: number,
  ): string | null {
    const silentMs = msFromNs(this.options.clock.nowNs() - receivedNs);
    if (silentMs > limitMs) return `${what}: nothing new for ${silentMs.toFixed(0)} ms`;
    if (!this.time.estimate()) return "the robot's clock is not known yet";
    const ageMs = this.time.ageMs(stampNs);
    if (ageMs > limitMs) return `${what}: ${ageMs.toFixed(0)} ms old by the robot's clock`;
    if (ageMs < -limitMs) return `${what}: stamped ${(-ageMs).toFixed(0)} ms in the future of the robot's clock`;
    return null;
  }

  private stateOf({ positions }: MeasuredJoints): Float32Array {
    const { chain, stateNames } = this.options.description;
    const tip = forwardKinematics(chain, positions).position;
    return Float32Array.from(stateNames, (name) => {
      const axis = ["tip x", "tip y", "tip z"].indexOf(name);
      return axis >= 0 ? tip[axis]! : positions[this.names.indexOf(name)]!;
    });
  }
}
