import type { ActionSpace } from "./action.ts";
import type { Observation } from "./observation.ts";

export type ObservationFeatures = {
  readonly cameras: readonly { readonly name: string; readonly height: number; readonly width: number }[];
  readonly stateNames: readonly string[];
  readonly stateUnits: readonly string[];
};

/** One tick's command. `ttlMs` is how long after `stampNs` the receiver may still execute it. */
export type RobotCommand = {
  readonly values: Float32Array;
  readonly stampNs: bigint;
  readonly sequence: number;
  readonly ttlMs: number;
};

/**
 * Latched: only `arm` leads to "armed". "hold": something was wrong with a command or its sender; "stale": the link or
 * the observations stopped; "estop": somebody pressed it.
 */
export type RobotMode = "disarmed" | "armed" | "hold" | "stale" | "estop";

/** A robot, real or simulated. Features are readable before `connect`. */
export interface Robot {
  readonly observationFeatures: ObservationFeatures;
  readonly actionFeatures: ActionSpace;
  /** `reason` is one sentence fragment for people: "the link was lost". */
  readonly mode: { readonly name: RobotMode; readonly reason: string };
  /** Leaves the robot disarmed: it is seen, but does not move. */
  connect(): Promise<void>;
  /** @throws RobotError when there is no observation that is fresh enough to act on */
  observe(): Promise<Observation>;
  /**
   * Allows motion from where the robot is now.
   *
   * @throws RobotError while the e-stop is on, the link is down or nothing fresh was observed
   */
  arm(): Promise<void>;
  /** Sends one command and returns the command really sent, after limits. `null`: held, nothing was sent. */
  send(command: RobotCommand): Promise<RobotCommand | null>;
  /** Stops where it is. With `latch` the mode becomes "hold"; without, the next command may move again. Never throws. */
  hold(reason: string, options?: { readonly latch?: boolean }): Promise<void>;
  /** Holds, disarms and lets go. */
  disconnect(): Promise<void>;
}
