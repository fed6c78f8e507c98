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

/** A robot, real or simulated. Features are readable before `connect`. */
export interface Robot {
  readonly observationFeatures: ObservationFeatures;
  readonly actionFeatures: ActionSpace;
  connect(): Promise<void>;
  observe(): Promise<Observation>;
  /** Sends one command and returns the command really sent, after limits. `null`: held, nothing was sent. */
  send(command: RobotCommand): Promise<RobotCommand | null>;
  disconnect(): Promise<void>;
}
