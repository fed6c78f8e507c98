import type { Clock } from "#core/clock.ts";
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy } from "#core/contracts/policy.ts";
import { msFromNs } from "../protocol/stamp.ts";

export type PolicyAnswer =
  | {
      readonly kind: "chunk";
      readonly chunk: ActionChunk;
      readonly observation: Observation;
      readonly latencyMs: number;
    }
  /** There was no answer before the deadline; what comes later is thrown away. */
  | { readonly kind: "late"; readonly latencyMs: number }
  /** There was nothing fresh to show to the policy. */
  | { readonly kind: "blind"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * Asks a policy in the background, one question at a time, so that commands go on meanwhile. An answer after the deadline
 * is never handed out. A policy that ignores its deadline is not asked again before it came back: questions never pile up.
 */
export class PolicyAsker {
  private readonly policy: Policy;
  private readonly observe: () => Promise<Observation>;
  private readonly clock: Clock;
  private readonly deadlineMs: number;
  private running: AbortController | null = null;
  private ready: PolicyAnswer | null = null;

  constructor(options: {
    readonly policy: Policy;
    readonly observe: () => Promise<Observation>;
    readonly clock: Clock;
    readonly deadlineMs: number;
  }) {
    this.policy = options.policy;
    this.observe = options.observe;
    this.clock = options.clock;
    this.deadlineMs = options.deadlineMs;
  }

  get isBusy(): boolean {
    return this.running !== null;
  }

  /** Does nothing while a question is open. */
  ask(): void {
    if (this.running) return;
    const question = new AbortController();
    this.running = question;
    void this.answer(question).finally(() => {
      if (this.running === question) this.running = null;
    });
  }

  /** The answer since the last call, if there is one. */
  take(): PolicyAnswer | null {
    const answer = this.ready;
    this.ready = null;
    return answer;
  }

  /** Throws away the open question and any answer. */
  cancel(): void {
    this.running?.abort(new DOMException("the question was withdrawn", "AbortError"));
    this.ready = null;
  }

  private async answer(question: AbortController): Promise<void> {
    const { signal } = question;
    let observation: Observation;
    try {
      observation = await this.observe();
    } catch (error) {
      this.deliver(question, { kind: "blind", reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    const startNs = this.clock.nowNs();
    const elapsedMs = () => msFromNs(this.clock.nowNs() - startNs);
    const timer = new AbortController();
    const deadline = this.clock.sleep(this.deadlineMs, timer.signal).then(
      () => {
        this.deliver(question, { kind: "late", latencyMs: elapsedMs() });
        question.abort(new DOMException(`no answer within ${this.deadlineMs} ms`, "AbortError"));
      },
      () => undefined,
    );
    try {
      const chunk = await this.policy.infer(observation, signal);
      this.deliver(question, { kind: "chunk", chunk, observation, latencyMs: elapsedMs() });
    } catch (error) {
      this.deliver(question, { kind: "failed", error });
    } finally {
      timer.abort();
      await deadline;
    }
  }

  private deliver(question: AbortController, answer: PolicyAnswer): void {
    if (!question.signal.aborted) this.ready = answer;
  }
}
