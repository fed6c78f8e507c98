import type { ActionChunk, ActionSpace } from "./action.ts";
import type { Observation } from "./observation.ts";

export type PolicySpec = {
  /** Checkpoint hash or another stable name; travels with every chunk. */
  readonly policyId: string;
  readonly cameras: readonly { readonly name: string; readonly height: number; readonly width: number }[];
  /** S, or 0 when the policy reads no state. */
  readonly stateSize: number;
  readonly space: ActionSpace;
  readonly chunkLength: number;
  readonly rateHz: number;
};

/** Anything that turns observations into actions. Recorder, chunk broker, ensemble and remote client wrap this. */
export interface Policy {
  readonly spec: PolicySpec;
  /** @throws AbortError when `signal` fires first: a late answer is never returned. */
  infer(observation: Observation, signal?: AbortSignal): Promise<ActionChunk>;
  /** Forgets the episode so far. */
  reset(): void;
}

/** A policy that answers many observations in one call (parallel rollouts). */
export interface BatchPolicy extends Policy {
  inferBatch(observations: readonly Observation[], signal?: AbortSignal): Promise<ActionChunk[]>;
}

/** A policy whose compiled programs hold memory of an engine. */
export interface LoadedPolicy extends BatchPolicy {
  /** Frees it; no answer may be awaited any more. */
  dispose(): Promise<void>;
}
