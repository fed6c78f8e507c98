import { systemClock } from "#core/clock.ts";
import { mqttArmLinks } from "#robot-bridge/mqtt/link.ts";
import { MqttServer } from "#robot-bridge/mqtt/server.ts";
import { msFromNs } from "#robot-bridge/protocol/stamp.ts";
import { RosArm, type RosArmOptions } from "#robot-bridge/robots/ros-arm.ts";
import { rosArmLinks } from "#robot-bridge/robots/ros-link.ts";
import { type BridgeSummary, type RunBridgeOptions, runBridge } from "#robot-bridge/run.ts";
import { type RunningArm, type ServerHooks, type SimulateArmOptions, simulateArm } from "#robot-bridge/simulate.ts";
import { tabletopArm } from "#robot-bridge/simulation/tabletop-arm.ts";
import { planarDelta } from "#world/index.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { KinematicPlant } from "./kinematic-plant.ts";
import { ScriptedPolicy, type ScriptedPolicyOptions } from "./scripted-policy.ts";
import { SmallBroker } from "./small-broker.ts";

/** Planar steps that go round and round: the arm never rests by itself. */
export const circling = (question: number): number[] =>
  Array.from({ length: 8 }, (_, row) => 0.6 * (row + 4 * question)).flatMap((angle) => [
    0.012 * Math.cos(angle),
    0.012 * Math.sin(angle),
  ]);

const prefix = "armature/arm-1";
const portOf = (url: string): number => Number(new URL(url).port);

export type RigOptions = {
  /** How bridge and arm talk; "mqtt": over a broker, which the bad network lies before. */
  readonly transport?: "rosbridge" | "mqtt";
  readonly plant?: KinematicPlant;
  readonly simulate?: Partial<SimulateArmOptions>;
  readonly policy?: Partial<ScriptedPolicyOptions>;
  readonly robot?: Partial<RosArmOptions>;
  readonly run?: Partial<RunBridgeOptions>;
};

/**
 * A policy, an arm behind rosbridge and a bad network between them, on real sockets of this machine. A judge of its own
 * reads the joints every 4 ms and knows when they moved.
 */
export class BridgeRig {
  readonly plant: KinematicPlant;
  readonly policy: ScriptedPolicy;
  readonly lines: string[] = [];
  broker!: SmallBroker;
  brokerPort = 0;
  sim!: RunningArm;
  proxy!: FaultProxy;
  url = "";
  private readonly options: RigOptions;
  private readonly stopper = new AbortController();
  private readonly closers: (() => Promise<unknown>)[] = [];
  private readonly motion: { readonly atMs: number; readonly positions: Float64Array }[] = [];

  constructor(options: RigOptions = {}) {
    this.options = options;
    this.plant = options.plant ?? new KinematicPlant();
    this.policy = new ScriptedPolicy({
      clock: systemClock,
      space: planarDelta,
      chunkLength: 8,
      rateHz: 10,
      answer: circling,
      ...options.policy,
    });
  }

  async open(): Promise<this> {
    if (this.isMqtt) await this.startBroker();
    await this.startSimulation(0);
    this.proxy = new FaultProxy(portOf(this.sim.url));
    this.url = (await this.proxy.listen()).replace("ws:", this.isMqtt ? "mqtt:" : "ws:");
    this.closers.push(() => this.proxy.close());
    const judge = setInterval(
      () => this.motion.push({ atMs: this.nowMs(), positions: this.plant.read().positions }),
      4,
    );
    this.closers.push(async () => clearInterval(judge));
    return this;
  }

  private get isMqtt(): boolean {
    return this.options.transport === "mqtt";
  }

  async startBroker(port = 0): Promise<void> {
    const broker = new SmallBroker();
    this.broker = broker;
    this.brokerPort = await broker.listen(port);
    this.closers.push(() => broker.close());
  }

  /** Also the restart of a server that was killed: same port, the arm where it is. */
  async startSimulation(port: number): Promise<void> {
    const { plant } = this;
    const log = (line: string) => this.lines.push(`sim: ${line}`);
    const url = `mqtt://127.0.0.1:${this.brokerPort}`;
    const openServer = this.isMqtt
      ? ({ clock }: ServerHooks) => new MqttServer({ url, prefix, nowNs: () => clock.nowNs(), log })
      : undefined;
    const sim = await simulateArm({ plant, port, openServer, pictureSize: 16, log, ...this.options.simulate });
    this.sim = sim;
    this.closers.push(() => sim.close());
  }

  makeRobot(url = this.url, options: Partial<RosArmOptions> = {}): RosArm {
    const log = (line: string) => this.lines.push(line);
    const retry = { retryMs: 30, longestRetryMs: 60, log };
    const links = this.isMqtt
      ? mqttArmLinks(this.plant.names, { ...retry, url, prefix, keepaliveS: 1 })
      : rosArmLinks(url, { ...retry, silenceMs: 600 });
    const cameras = [{ name: "front", topic: "/camera/front/compressed", height: 16, width: 16 }];
    return new RosArm({ description: tabletopArm, cameras, log, ...this.options.robot, ...options }, links);
  }

  /** A run on a robot of its own. */
  run(options: Partial<RunBridgeOptions> = {}): Promise<BridgeSummary> {
    const log = (line: string) => this.lines.push(line);
    const { policy, stopper } = this;
    const running = runBridge({
      policy,
      robot: this.makeRobot(),
      description: tabletopArm,
      log,
      signal: stopper.signal,
      ...this.options.run,
      ...options,
    });
    this.closers.push(() => running.catch(() => undefined));
    return running;
  }

  /** As Ctrl-C does. */
  stop(): void {
    this.stopper.abort();
  }

  nowMs = (): number => msFromNs(systemClock.nowNs());

  /** How far a joint went in a stretch of time, rad. */
  movedRad(fromMs: number, toMs = Number.POSITIVE_INFINITY): number {
    const seen = this.motion.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).map(({ positions }) => positions);
    if (seen.length < 2) throw new Error("the judge saw nothing");
    const spans = Array.from(seen[0]!, (_, joint) => {
      const values = seen.map((positions) => positions[joint]!);
      return Math.max(...values) - Math.min(...values);
    });
    return Math.max(...spans);
  }

  async until(condition: () => boolean, what: string, timeoutMs = 8000): Promise<void> {
    const endMs = this.nowMs() + timeoutMs;
    while (!condition()) {
      if (this.nowMs() > endMs) throw new Error(`never happened: ${what}\n${this.lines.join("\n")}`);
      await systemClock.sleep(4);
    }
  }

  /** The arm is under way: some commands were executed and the joints moved. */
  async moving(): Promise<void> {
    await this.until(() => this.sim.status().commands.executed > 15, "the arm moves");
  }

  wait = (durationMs: number): Promise<void> => systemClock.sleep(durationMs);

  async close(): Promise<void> {
    this.stop();
    for (const close of this.closers.reverse()) await close();
  }
}
