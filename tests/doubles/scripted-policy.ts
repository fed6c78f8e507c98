import type { Clock } from "#core/clock.ts";
import type { ActionChunk, ActionSpace } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy, PolicySpec } from "#core/contracts/policy.ts";

export type ScriptedPolicyOptions = {
  readonly clock: Clock;
  readonly space: ActionSpace;
  readonly chunkLength: number;
  readonly rateHz: number;
  /** Actions [L, A] for the n-th question, or what goes wrong with it. */
  readonly answer: (question: number, observation: Observation) => readonly number[] | Error;
  readonly latencyMs?: (question: number) => number;
  /** Hostile: goes on after its signal fired, and answers late. */
  readonly ignoresSignal?: boolean;
};

/** Answers what a test says, after the time that a test says. */
export class ScriptedPolicy implements Policy {
  readonly spec: PolicySpec;
  questions = 0;
  resets = 0;
  /** Questions that are open now, and the most there ever were. */
  open = 0;
  mostOpen = 0;
  change: (chunk: ActionChunk) => ActionChunk = (chunk) => chunk;
  private readonly options: ScriptedPolicyOptions;

  constructor(options: ScriptedPolicyOptions) {
    this.options = options;
    const { space, chunkLength, rateHz } = options;
    this.spec = { policyId: "scripted", cameras: [], stateSize: 0, space, chunkLength, rateHz };
  }

  async infer(observation: Observation, signal?: AbortSignal): Promise<ActionChunk> {
    const { clock, latencyMs = () => 0, ignoresSignal = false, answer } = this.options;
    const question = this.questions++;
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    try {
      await clock.sleep(latencyMs(question), ignoresSignal ? undefined : signal);
      const actions = answer(question, observation);
      if (actions instanceof Error) throw actions;
      const { space, chunkLength: length, rateHz, policyId } = this.spec;
      const { stampNs } = observation;
      return this.change({ actions: Float32Array.from(actions), length, rateHz, space, stampNs, policyId });
    } finally {
      this.open -= 1;
    }
  }

  reset(): void {
    this.resets += 1;
  }
}
