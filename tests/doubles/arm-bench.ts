import { RobotError } from "#core/errors.ts";
import { identityPose } from "#core/geometry/kinematics.ts";
import { encodePng } from "#core/image/png.ts";
import {
  decodeJointTrajectory,
  encodeCompressedImage,
  encodeJointState,
  type JointTrajectory,
} from "#robot-bridge/protocol/messages.ts";
import { rosTimeFromNs } from "#robot-bridge/protocol/stamp.ts";
import { services, topics } from "#robot-bridge/protocol/topics.ts";
import type { ArmDescription } from "#robot-bridge/robots/arm-description.ts";
import { RosArm, type RosArmOptions } from "#robot-bridge/robots/ros-arm.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeLink } from "./fake-link.ts";

const hinge = (name: string) => ({
  name,
  kind: "revolute" as const,
  origin: { ...identityPose, position: [0.3, 0, 0] as const },
  axis: [0, 0, 1] as const,
  low: -2,
  high: 2,
  velocityLimit: 2,
});
/** Two links of 0.3 m in the plane, the first joint 0.3 m from the origin. */
const description: ArmDescription = {
  name: "two-links",
  chain: {
    worldFromBase: identityPose,
    joints: [hinge("shoulder"), hinge("elbow")],
    tip: { ...identityPose, position: [0.3, 0, 0] },
  },
  accelerationLimit: [20, 20],
  stateNames: ["elbow", "tip x", "tip y"],
};
/** The robot's clock is an hour ahead of ours. */
const aheadNs = 3_600_000_000_000n;
const red = { data: new Uint8Array(4 * 4 * 3).fill(200), height: 4, width: 4 };

/** A `RosArm` on fake links, with the robot that it talks to: reports at 50 Hz, does what it is told at once. */
export class ArmBench {
  readonly clock = new FakeClock();
  readonly command = new FakeLink();
  readonly camera = new FakeLink();
  readonly estop = new FakeLink();
  readonly lines: string[] = [];
  readonly robot: RosArm;
  /** What the arm reports. */
  positions = [0, 0];
  velocities = [0, 0];
  names = ["elbow", "wheel", "shoulder"];
  isReporting = true;
  isFilming = true;
  /** The arm is where it was told to be last. */
  follows = true;
  sequence = 0;
  private readonly seen: JointTrajectory[] = [];

  constructor(options: Partial<RosArmOptions> = {}) {
    this.command.service = (name) => {
      if (name !== services.time) throw new RobotError("no such service");
      return { time: rosTimeFromNs(this.robotNs()) };
    };
    this.robot = new RosArm(
      {
        description,
        cameras: [{ name: "front", topic: "/cam", height: 2, width: 2 }],
        clock: this.clock,
        log: (line) => this.lines.push(line),
        connectTimeoutMs: 500,
        ...options,
      },
      { command: this.command, camera: this.camera, estop: this.estop },
    );
  }

  robotNs = () => this.clock.nowNs() + aheadNs;

  report(): void {
    const state = { stampNs: this.robotNs(), frameId: "", names: this.names, efforts: new Float64Array(0) };
    const pick = (values: readonly number[]) => Float64Array.of(values[1]!, 99, values[0]!);
    this.command.deliver(
      topics.jointStates,
      encodeJointState({ ...state, positions: pick(this.positions), velocities: pick(this.velocities) }),
    );
  }

  film(stampNs = this.robotNs()): void {
    const data = encodePng(red);
    this.camera.deliver("/cam", encodeCompressedImage({ stampNs, frameId: "", format: "png", data }));
  }

  /** Lets time pass; the robot reports at 50 Hz. */
  async run(durationMs: number): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 20) {
      this.obey();
      if (this.isReporting && this.command.isUp) this.report();
      if (this.isFilming && this.camera.isUp) this.film();
      await this.clock.advance(20);
    }
  }

  private obey(): void {
    for (const trajectory of this.heard()) {
      const last = trajectory.points.at(-1);
      if (last && this.follows) this.positions = [...last.positions];
    }
  }

  /** Commands that the robot has not looked at yet, decoded. */
  private heard(): JointTrajectory[] {
    const fresh = this.command.take(topics.command).map(decodeJointTrajectory);
    this.seen.push(...fresh);
    return fresh;
  }

  /** Everything that was commanded so far. */
  all(): readonly JointTrajectory[] {
    this.heard();
    return [...this.seen];
  }

  async connected(): Promise<this> {
    await this.settle(this.robot.connect());
    return this;
  }

  /** Lets time pass until a promise is settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, settled);
    while (!isSettled) await this.run(20);
    return promise;
  }

  async armed(): Promise<this> {
    await this.connected();
    await this.robot.arm();
    return this;
  }

  send(...values: number[]) {
    const stampNs = this.robot.robotTimeNs();
    return this.robot.send({ values: Float32Array.from(values), stampNs, sequence: this.sequence++, ttlMs: 100 });
  }

  /** Sends targets that move at `speeds` rad/s from where the arm is, 50 times a second. */
  async stream(durationMs: number, ...speeds: number[]) {
    const start = [...this.positions];
    for (let passedMs = 20; passedMs <= durationMs; passedMs += 20) {
      await this.send(...start.map((value, joint) => value + (speeds[joint]! * passedMs) / 1000));
      await this.run(20);
    }
  }
}
