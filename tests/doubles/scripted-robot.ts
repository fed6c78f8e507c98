import type { ActionSpace } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Robot, RobotCommand, RobotMode } from "#core/contracts/robot.ts";
import { RobotError } from "#core/errors.ts";
import type { FakeClock } from "./fake-clock.ts";

/** A robot without a body: does what it is told at once and remembers it. */
export class ScriptedRobot implements Robot {
  readonly observationFeatures = { cameras: [], stateNames: ["a", "b"], stateUnits: ["rad", "rad"] };
  readonly actionFeatures: ActionSpace;
  mode: { name: RobotMode; reason: string } = { name: "armed", reason: "" };
  readonly sent: RobotCommand[] = [];
  readonly holds: { readonly reason: string; readonly latch: boolean }[] = [];
  positions = Float64Array.of(0, 0);
  /** Why there is nothing to see, if so. */
  blind: string | null = null;
  /** How old observations are. */
  ageMs = 0;
  /** Changes a command on its way, or refuses it. */
  limit: (values: Float32Array) => Float32Array | null = (values) => values;
  private readonly clock: FakeClock;
  private isGone = false;

  constructor(clock: FakeClock) {
    this.clock = clock;
    this.actionFeatures = {
      kind: "joint-position",
      names: ["a", "b"],
      units: ["rad", "rad"],
      limits: { low: [-2, -2], high: [2, 2] },
    };
  }

  async connect(): Promise<void> {
    this.mode = { name: "disarmed", reason: "not armed yet" };
  }

  async observe(): Promise<Observation> {
    if (this.blind !== null) throw new RobotError(this.blind);
    const stampNs = this.clock.nowNs() - BigInt(Math.round(this.ageMs * 1e6));
    return { images: {}, state: Float32Array.from(this.positions), instruction: "push", stampNs };
  }

  async arm(): Promise<void> {
    if (this.isGone) throw new RobotError("robot: it is not connected");
    this.mode = { name: "armed", reason: "" };
  }

  async send(command: RobotCommand): Promise<RobotCommand | null> {
    if (this.mode.name !== "armed") return null;
    const values = this.limit(command.values);
    if (!values) return null;
    const sent = { ...command, values };
    this.sent.push(sent);
    this.positions = Float64Array.from(values);
    return sent;
  }

  async hold(reason: string, { latch = false } = {}): Promise<void> {
    if (this.mode.name !== "armed") return;
    this.holds.push({ reason, latch });
    if (latch) this.mode = { name: "hold", reason };
  }

  async disconnect(): Promise<void> {
    this.isGone = true;
    this.mode = { name: "disarmed", reason: "disconnected" };
  }
}
