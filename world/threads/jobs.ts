import type { TaskInstance } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import { playExpert, type SimulatedEpisode, simulateEpisode } from "../episode.ts";
import type { Answer } from "../evaluation/policy-answers.ts";
import type { RolloutResult } from "../evaluation/rollout-result.ts";
import { type GroupView, type OpenGroup, WorldGroup } from "../evaluation/world-group.ts";
import { attemptSeed, drawInstance, type InstanceRequest } from "../suites/draw.ts";
import { createWorld, type SimulatedWorld } from "../world.ts";

/** What a thread can be asked. A thread keeps its worlds between jobs. */
export type Jobs = {
  /** One episode of the scripted expert, with pictures. */
  simulate(
    input: InstanceRequest & {
      readonly index: number;
      readonly size: number;
      readonly cameras: readonly string[];
      readonly mistakes: number;
      /** Failures are drawn again. */
      readonly onlySuccesses: boolean;
    },
  ): Promise<SimulatedEpisode>;
  /** The same without pictures. */
  expert(input: {
    readonly instance: TaskInstance;
    readonly index: number;
    readonly record: boolean;
  }): Promise<RolloutResult>;
  openGroup(input: OpenGroup): Promise<GroupView>;
  /** @param answers one per slot of the last view */
  advanceGroup(input: {
    readonly group: number;
    readonly answers: readonly Answer[];
    readonly executeSteps: number;
    readonly policyId: string;
  }): Promise<GroupView>;
  close(): void;
};

/** So many failures of the expert in a row mean that it cannot do the task. */
const mostAttempts = 20;

export function createJobs(): Jobs {
  const worlds = new Map<string, Promise<SimulatedWorld>>();
  const groups = new Map<number, WorldGroup>();
  const worldFor = (size: number, cameras: readonly string[]) => {
    const key = `${size} ${cameras.join()}`;
    const known = worlds.get(key) ?? createWorld({ size, cameras });
    worlds.set(key, known);
    return known;
  };
  const show = (id: number, group: WorldGroup): GroupView => {
    const view = group.view();
    if (view.slots.length > 0) return view;
    group.close();
    groups.delete(id);
    return view;
  };
  return {
    async simulate({ index, size, cameras, mistakes, onlySuccesses, seed, ...request }) {
      const world = await worldFor(size, cameras);
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const instance = drawInstance({ ...request, seed: attemptSeed(seed, index, attempt) });
        const episode = simulateEpisode(world, instance, index, size, { mistakes });
        if (episode.success || !onlySuccesses) return episode;
      }
      throw new ConfigError(
        `simulation: the expert must solve one of ${mostAttempts} draws of episode ${index}, but solved none. Make the suite easier.`,
      );
    },
    async expert({ instance, index, record }) {
      return playExpert(await worldFor(8, []), instance, index, record);
    },
    async openGroup(input) {
      const group = await WorldGroup.open(input);
      groups.set(input.group, group);
      return show(input.group, group);
    },
    async advanceGroup({ group: id, answers, executeSteps, policyId }) {
      const group = groups.get(id)!;
      group.advance(answers, executeSteps, policyId);
      return show(id, group);
    },
    close() {
      for (const world of worlds.values()) void world.then((open) => open.close());
      for (const group of groups.values()) group.close();
    },
  };
}
