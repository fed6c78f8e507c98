/**
 * @file A simulated arm behind a rosbridge server, in real time: joint states, pictures, task and instruction out, joint
 * trajectories in, as a real arm with ros2_controllers would have them. It refuses commands older than their time-to-live
 * and a second controller, and counts what it executed, so that what a bad network did to a bridge can be read off it.
 */
import { type Clock, systemClock } from "#core/clock.ts";
import { FormatError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import {
  decodeBool,
  decodeJointTrajectory,
  encodeCompressedImage,
  encodeJointState,
  encodeString,
  messageTypes,
} from "./protocol/messages.ts";
import { msFromNs, nsFromMs, secondsFromNs } from "./protocol/stamp.ts";
import { encodeTaskStatus, type TaskStatus } from "./protocol/task.ts";
import { services, topics } from "./protocol/topics.ts";
import { RosbridgeServer } from "./rosbridge/server.ts";
import type { BusMessage, Origin } from "./rosbridge/topic-bus.ts";
import type { ArmServer } from "./simulation/arm-server.ts";
import { CommandLease } from "./simulation/command-lease.ts";
import type { ArmPlant } from "./simulation/plant.ts";
import { type ControllerCounters, TrajectoryController } from "./simulation/trajectory-controller.ts";
import { epochClock } from "./wall-clock.ts";

export type SimulateArmOptions = {
  readonly plant: ArmPlant;
  /** Port of the rosbridge server; 0: any free one. */
  readonly port?: number;
  readonly host?: string | undefined;
  readonly token?: string | undefined;
  /** Another transport instead of rosbridge. */
  readonly openServer?: ((hooks: ServerHooks) => ArmServer) | undefined;
  /** Side of the pictures, pixels. */
  readonly pictureSize: number;
  readonly controlHz?: number;
  readonly stateHz?: number;
  readonly cameraHz?: number;
  /** Publish what experts may see on `/task/truth`. */
  readonly showsTruth?: boolean;
  readonly emptyTrajectory?: "hold" | "refuse";
  readonly commandTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
};

export type ServerHooks = {
  /** Nanoseconds since 1970. */
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** To be called when a client has gone, where the transport knows. */
  readonly onLeave: (name: string) => void;
};

/** What `/sim/status` answers. */
export type SimulatedArmStatus = {
  readonly commands: ControllerCounters & { readonly refusedController: number; readonly notUnderstood: number };
  /** Client that commands now. */
  readonly commander: string | null;
  readonly estop: boolean;
  readonly task: TaskStatus;
  /** Real time that was not simulated because the machine was too slow, seconds. */
  readonly lostS: number;
  readonly joints: { readonly names: readonly string[]; readonly positions: readonly number[] };
};

export type RunningArm = {
  readonly url: string;
  status(): SimulatedArmStatus;
  /** Sets up the next task. */
  reset(): void;
  /** Resolves when the arm has stopped: by `close` or the signal. */
  readonly done: Promise<void>;
  close(): Promise<void>;
};

/** @throws RobotError when the port is taken @throws ConfigError when others could reach it without a token */
export async function simulateArm(options: SimulateArmOptions): Promise<RunningArm> {
  const simulation = new ArmSimulation(options);
  return simulation.start();
}

/** Longest stretch of real time that is made up for at once, seconds. */
const longestStepS = 0.1;

class ArmSimulation {
  private readonly options: SimulateArmOptions;
  private readonly plant: ArmPlant;
  private readonly clock: Clock;
  private readonly log: (line: string) => void;
  private readonly server: ArmServer;
  private readonly controller: TrajectoryController;
  private readonly lease = new CommandLease();
  private readonly stop = new AbortController();
  private estop = false;
  private episode = 0;
  private refusedController = 0;
  private notUnderstood = 0;
  private lostS = 0;
  private lastNs: bigint;
  private hasMoved = false;
  private lastTask = "";

  constructor(options: SimulateArmOptions) {
    this.options = options;
    this.plant = options.plant;
    this.clock = epochClock(options.clock ?? systemClock);
    this.log = options.log ?? (() => undefined);
    const { host, token, port = 0, plant, openServer } = options;
    const { clock, log } = this;
    const hooks = { clock, log, onLeave: (name: string) => this.lease.release(name) };
    const access = { ...(host === undefined ? {} : { host }), ...(token === undefined ? {} : { token }) };
    this.server = openServer?.(hooks) ?? new RosbridgeServer({ port, ...access, ...hooks });
    const { names, low, high, velocityLimit } = plant;
    const { emptyTrajectory = "hold", commandTimeoutMs = 200 } = options;
    this.controller = new TrajectoryController(
      { names, positionLow: low, positionHigh: high, velocity: velocityLimit, emptyTrajectory, commandTimeoutMs },
      plant.read().positions,
    );
    this.lastNs = this.clock.nowNs();
    this.offer();
  }

  async start(): Promise<RunningArm> {
    // The first pictures take many times longer than the later ones; the arm must not stand still for them.
    for (let pictures = 0; pictures < 5; pictures++) encodePng(this.plant.picture(this.options.pictureSize));
    this.lastNs = this.clock.nowNs();
    const { url } = await this.server.listen();
    this.publishTask();
    const { signal } = this.options;
    const end = () => this.stop.abort();
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end, { once: true });
    let last: SimulatedArmStatus | undefined;
    const done = this.run().finally(async () => {
      // What is behind the arm may be closed from now on.
      last = this.status();
      signal?.removeEventListener("abort", end);
      await this.server.close();
    });
    return {
      url,
      done,
      status: () => last ?? this.status(),
      reset: () => this.reset(),
      close: () => {
        end();
        return done;
      },
    };
  }

  private offer(): void {
    const { server, plant } = this;
    server.advertise(topics.jointStates, messageTypes.jointState);
    server.advertise(topics.camera(plant.camera), messageTypes.compressedImage);
    for (const topic of [topics.instruction, topics.status, topics.truth]) server.advertise(topic, messageTypes.string);
    if (plant.urdf !== undefined) {
      server.advertise(topics.description, messageTypes.string);
      this.publish(topics.description, encodeString(plant.urdf), true);
    }
    server.subscribe(topics.command, messageTypes.jointTrajectory, (message, origin) => this.command(message, origin));
    server.subscribe(topics.estop, messageTypes.bool, (message) => this.hearEstop(message));
    server.provide(services.status, () => this.status());
    server.provide(services.task, () => ({ episode: this.episode, task: plant.description }));
    server.provide(services.reset, () => {
      this.reset();
      return { episode: this.episode, instruction: plant.instruction };
    });
  }

  private async run(): Promise<void> {
    const { controlHz = 100, stateHz = 50, cameraHz = 10 } = this.options;
    const { signal } = this.stop;
    const start = this.clock.nowNs();
    this.lastNs = start;
    let tick = 0;
    while (!signal.aborted) {
      this.step();
      if (tick % Math.max(1, Math.round(controlHz / stateHz)) === 0) this.publishJoints();
      if (tick % Math.max(1, Math.round(controlHz / cameraHz)) === 0) this.publishView();
      tick += 1;
      const dueNs = start + nsFromMs((1000 * tick) / controlHz);
      const waitMs = msFromNs(dueNs - this.clock.nowNs());
      // A machine that is too slow leaves ticks out.
      if (waitMs < -100) tick = Math.ceil((msFromNs(this.clock.nowNs() - start) * controlHz) / 1000);
      await this.clock.sleep(Math.max(0, waitMs), signal).catch(() => undefined);
    }
  }

  /** Brings controller and physics to now. */
  private step(): void {
    const nowNs = this.clock.nowNs();
    const elapsedS = secondsFromNs(nowNs - this.lastNs);
    this.lastNs = nowNs;
    const wasBusy = this.controller.isBusy(nowNs);
    const setpoint = this.controller.sample(nowNs);
    // The task's clock starts with the first command.
    if (wasBusy || this.hasMoved) this.plant.setTargets(setpoint);
    this.hasMoved ||= wasBusy;
    this.plant.advance(Math.min(elapsedS, longestStepS));
    this.lostS += Math.max(0, elapsedS - longestStepS);
  }

  private command(message: unknown, { from }: Origin): void {
    const nowNs = this.clock.nowNs();
    try {
      const trajectory = decodeJointTrajectory(message);
      const isHold = trajectory.points.length === 0;
      if (!isHold && !this.lease.take(from, nowNs)) {
        if (this.refusedController === 0) this.log(`${from}: refused: ${this.lease.current(nowNs)} commands the arm`);
        this.refusedController += 1;
        return;
      }
      if (this.estop && !isHold) {
        this.controller.refuse("the e-stop is on");
        return;
      }
      const acceptance = this.controller.accept(trajectory, nowNs);
      if (!acceptance.isAccepted && !isHold) this.log(`${from}: command refused: ${acceptance.reason}`);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.notUnderstood += 1;
      this.log(`${from}: command not understood: ${error.message}`);
    }
  }

  private hearEstop(message: unknown): void {
    let isOn = true;
    try {
      isOn = decodeBool(message);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    if (isOn) this.controller.hold();
    if (isOn !== this.estop) this.log(isOn ? "e-stop: on" : "e-stop: released");
    this.estop = isOn;
  }

  private reset(): void {
    this.episode += 1;
    this.plant.reset(this.episode);
    this.controller.reset(this.plant.read().positions);
    this.hasMoved = false;
    this.log(`episode ${this.episode}: ${this.plant.instruction}`);
    this.publishTask();
  }

  private publishJoints(): void {
    const { positions, velocities } = this.plant.read();
    const state = { stampNs: this.lastNs, frameId: "", names: this.plant.names, positions, velocities };
    this.publish(topics.jointStates, encodeJointState({ ...state, efforts: new Float64Array(0) }));
  }

  /** Task and truth, and a picture if somebody looks. */
  private publishView(): void {
    this.publishTask();
    if (this.options.showsTruth) {
      const truth = { episode: this.episode, truth: this.plant.truth() };
      this.publish(topics.truth, encodeString(JSON.stringify(truth)));
    }
    const camera = topics.camera(this.plant.camera);
    if (this.server.listeners(camera) === 0) return;
    const data = encodePng(this.plant.picture(this.options.pictureSize));
    const picture = { stampNs: this.lastNs, frameId: this.plant.camera, format: "png", data };
    this.publish(camera, encodeCompressedImage(picture));
  }

  private publishTask(): void {
    this.publish(topics.status, encodeTaskStatus(this.taskStatus()), true);
    if (this.plant.instruction === this.lastTask) return;
    this.lastTask = this.plant.instruction;
    this.publish(topics.instruction, encodeString(this.lastTask), true);
  }

  private publish(topic: string, message: unknown, latch = false): void {
    this.server.publish(topic, message as BusMessage, { latch });
  }

  private taskStatus(): TaskStatus {
    const { isOver: done, success, elapsedS } = this.plant.task();
    return { episode: this.episode, instruction: this.plant.instruction, elapsedS, done, success };
  }

  private status(): SimulatedArmStatus {
    const { refusedController, notUnderstood, estop, lostS } = this;
    return {
      commands: { ...this.controller.counters, refusedController, notUnderstood },
      commander: this.lease.current(this.clock.nowNs()),
      estop,
      task: this.taskStatus(),
      lostS,
      joints: { names: this.plant.names, positions: Array.from(this.plant.read().positions) },
    };
  }
}
