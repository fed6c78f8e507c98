import type { StateLog, TaskInstance } from "#core/contracts/world.ts";
import { type RolloutResult, rolloutResult } from "./evaluation/rollout-result.ts";
import type { RolloutLog } from "./scene/rollout-log.ts";
import { findEmbodiment, findSuite } from "./suites/index.ts";
import type { ExpertOptions } from "./suites/suite.ts";
import type { SimulatedWorld } from "./world.ts";

/** One episode of the scripted expert. T frames; the last one has no action after it (its row is zero). */
export type SimulatedEpisode = {
  readonly index: number;
  readonly instance: TaskInstance;
  /** u8[T, size, size, 3] of the first camera. */
  readonly frames: Uint8Array;
  /** The same of every camera, by name. */
  readonly pictures: Readonly<Record<string, Uint8Array>>;
  readonly size: number;
  readonly length: number;
  readonly rateHz: number;
  /** f32[T, S] and f32[T, A]; null for bodies that record none (videos of hands). */
  readonly states: Float32Array | null;
  readonly actions: Float32Array | null;
  /** For probes and tests only; never part of a data set. */
  readonly truth: EpisodeTruth;
  readonly success: boolean;
  /** Name and version of what drew the pictures. */
  readonly rendererId: string;
  /** Holds the actions of every body, a hand's too: goes with the truth, not with the data. */
  readonly log: RolloutLog;
};

export type EpisodeTruth = {
  /** f32[T, 2] metres */
  readonly tip: Float32Array;
  /** Block ids, and their centres f32[T, blocks, 2] metres. */
  readonly blockIds: readonly string[];
  readonly blocks: Float32Array;
  /** f32[T, A] as sent. */
  readonly actions: Float32Array;
  /** Tool and objects in full, one row per frame: metres, quaternions (w first for objects), opening. */
  readonly log: StateLog;
};

/** Plays the expert in one world. */
export function simulateEpisode(
  world: SimulatedWorld,
  instance: TaskInstance,
  index: number,
  size: number,
  options: ExpertOptions = {},
): SimulatedEpisode {
  const expert = findSuite(instance.suite).expert(instance, instance.hash, options);
  const taken: Record<string, Uint8Array[]> = {};
  const states: Float32Array[] = [];
  const tips: number[] = [];
  const blocks: number[] = [];
  world.start(instance);
  const blockIds = Object.keys(world.truth().blocks);
  for (;;) {
    const truth = world.truth();
    const observation = world.observe();
    for (const [camera, { data }] of Object.entries(observation.images)) {
      taken[camera] ??= [];
      taken[camera].push(data);
    }
    states.push(observation.state!);
    tips.push(...truth.tip);
    for (const id of blockIds) blocks.push(...truth.blocks[id]!);
    if (world.progress.done) break;
    world.advanceTool(expert.act(truth));
  }
  const log = world.log("expert");
  const { recordsActions } = findEmbodiment(instance.embodiment, instance.suite);
  const pictures = Object.fromEntries(Object.entries(taken).map(([camera, frames]) => [camera, joinFrames(frames)]));
  const width = states[0]!.length;
  const joined = new Float32Array(states.length * width);
  for (const [row, state] of states.entries()) joined.set(state, row * width);
  return {
    index,
    instance,
    frames: Object.values(pictures)[0]!,
    pictures,
    size,
    length: log.frames,
    rateHz: log.rateHz,
    states: recordsActions ? joined : null,
    actions: recordsActions ? log.actions.slice() : null,
    truth: {
      ...{ tip: Float32Array.from(tips), blockIds, blocks: Float32Array.from(blocks) },
      ...{ actions: log.actions.slice(), log: world.stateLog() },
    },
    success: log.success,
    rendererId: world.rendererId,
    log,
  };
}

function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(frames.length * frames[0]!.length);
  for (const [row, frame] of frames.entries()) joined.set(frame, row * frame.length);
  return joined;
}

/** Plays the expert without taking pictures: how much of a split can be solved at all. */
export function playExpert(
  world: SimulatedWorld,
  instance: TaskInstance,
  index: number,
  record: boolean,
): RolloutResult {
  const expert = findSuite(instance.suite).expert(instance, instance.hash);
  world.start(instance);
  while (!world.progress.done) world.advanceTool(expert.act(world.truth()));
  return rolloutResult(world, index, record ? "expert" : null);
}
