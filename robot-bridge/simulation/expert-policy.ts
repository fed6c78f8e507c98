import { z } from "zod";
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy, PolicySpec } from "#core/contracts/policy.ts";
import type { TaskInstance } from "#core/contracts/world.ts";
import { RobotError } from "#core/errors.ts";
import { type Expert, findSuite, planarDelta, type TableTruth } from "#world/index.ts";
import { decodeString, messageTypes } from "../protocol/messages.ts";
import { services, topics } from "../protocol/topics.ts";
import type { ArmLink } from "../robots/arm-link.ts";

const point = z.tuple([z.number(), z.number()]);
const truthJson = z.object({
  episode: z.int(),
  truth: z.object({ tip: point, blocks: z.record(z.string(), point) }),
});

/** What others publish on the topic is not for the expert. */
function readTruth(message: unknown): z.infer<typeof truthJson> | null {
  try {
    return truthJson.parse(JSON.parse(decodeString(message)));
  } catch {
    return null;
  }
}

/**
 * The world's scripted expert as a policy: it looks at where everything truly is instead of at pictures. It shows that a
 * bridge works before there is a checkpoint, and what the best policy could do through it. For the simulated arm alone.
 */
export class ExpertPolicy implements Policy {
  readonly spec: PolicySpec = {
    policyId: "expert",
    cameras: [],
    stateSize: 0,
    space: planarDelta,
    chunkLength: 1,
    rateHz: 10,
  };
  private readonly link: ArmLink;
  private latest: { readonly episode: number; readonly truth: TableTruth } | null = null;
  private current: { readonly episode: number; readonly expert: Expert } | null = null;

  /** @param link a connection of its own to the simulated arm's server */
  constructor(link: ArmLink) {
    this.link = link;
    link.subscribe(topics.truth, messageTypes.string, (message) => {
      this.latest = readTruth(message) ?? this.latest;
    });
  }

  /** @throws RobotError when the server cannot be reached */
  async open(): Promise<void> {
    await this.link.open();
  }

  async infer(observation: Observation, signal?: AbortSignal): Promise<ActionChunk> {
    const { latest } = this;
    if (!latest) {
      throw new RobotError(`expert: nothing came on ${topics.truth}. Start the simulated arm with --showsTruth.`);
    }
    if (this.current?.episode !== latest.episode) {
      const { task } = (await this.link.call(services.task, {}, 1000)) as { readonly task: TaskInstance };
      this.current = { episode: latest.episode, expert: findSuite(task.suite).expert(task, task.hash) };
    }
    signal?.throwIfAborted();
    const { space, chunkLength: length, rateHz, policyId } = this.spec;
    const actions = this.current.expert.act(latest.truth);
    return { actions, length, rateHz, space, stampNs: observation.stampNs, policyId };
  }

  reset(): void {
    this.current = null;
  }

  close(): Promise<void> {
    return this.link.close();
  }
}
