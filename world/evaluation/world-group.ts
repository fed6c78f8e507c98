import type { TaskInstance } from "#core/contracts/world.ts";
import type { PredictedChunks } from "../scene/rollout-log.ts";
import { createWorld, type SimulatedWorld } from "../world.ts";
import type { Answer } from "./policy-answers.ts";
import { type RolloutResult, rolloutResult } from "./rollout-result.ts";

export type OpenGroup = {
  readonly group: number;
  readonly instances: readonly TaskInstance[];
  /** Place of each instance in the whole list. */
  readonly indices: readonly number[];
  /** Whether each one's log is wanted. */
  readonly record: readonly boolean[];
  /** Most worlds at once. */
  readonly width: number;
  /** Side of the pictures, pixels. */
  readonly size: number;
  readonly cameras: readonly string[];
};

/** What every running world of a group shows, and what ended since the last view. */
export type GroupView = {
  readonly slots: readonly {
    readonly index: number;
    /** The first observation of an episode. */
    readonly isFirst: boolean;
    readonly instruction: string;
    readonly stampNs: bigint;
    readonly state: Float32Array;
  }[];
  /** u8[slots, cameras, size, size, 3] */
  readonly frames: Uint8Array;
  readonly finished: readonly RolloutResult[];
};

type Slot = {
  readonly world: SimulatedWorld;
  readonly at: number;
  isFirst: boolean;
  /** What the policy answered at which step, where the rollout is recorded. */
  readonly asked: (Answer & { readonly frame: number })[];
};

/** Worlds that are stepped together so that a policy answers all of them at once. A world that ends takes the next instance. */
export class WorldGroup {
  private readonly input: OpenGroup;
  private slots: Slot[];
  private next = 0;
  private finished: RolloutResult[] = [];
  private readonly idle: SimulatedWorld[] = [];

  private constructor(input: OpenGroup, worlds: readonly SimulatedWorld[]) {
    this.input = input;
    this.slots = worlds.map((world) => this.begin(world));
  }

  static async open(input: OpenGroup): Promise<WorldGroup> {
    const count = Math.min(input.width, input.instances.length);
    const worlds = await Promise.all(Array.from({ length: count }, () => createWorld(input)));
    return new WorldGroup(input, worlds);
  }

  private begin(world: SimulatedWorld): Slot {
    const at = this.next++;
    world.start(this.input.instances[at]!);
    return { world, at, isFirst: true, asked: [] };
  }

  /** Runs every world through the first `steps` actions of its answer, or until it is done. */
  advance(answers: readonly Answer[], steps: number, policyId: string): void {
    const running: Slot[] = [];
    for (const [row, slot] of this.slots.entries()) {
      const { world, at } = slot;
      const { actions } = answers[row]!;
      const width = world.actionSize;
      if (this.input.record[at]!) slot.asked.push({ frame: world.stepsTaken, ...answers[row]! });
      for (let step = 0; step < steps && !world.progress.done; step++) {
        world.advance(actions.subarray(step * width, (step + 1) * width));
      }
      slot.isFirst = false;
      if (!world.progress.done) {
        running.push(slot);
        continue;
      }
      this.finished.push(this.end(slot, policyId));
      if (this.next < this.input.instances.length) running.push(this.begin(world));
      else this.idle.push(world);
    }
    this.slots = running;
  }

  private end({ world, at, asked }: Slot, policyId: string): RolloutResult {
    const result = rolloutResult(world, this.input.indices[at]!, this.input.record[at]! ? policyId : null);
    return result.log ? { ...result, log: { ...result.log, chunks: predictedChunks(asked) } } : result;
  }

  view(): GroupView {
    const { size, indices, cameras } = this.input;
    const pixels = size * size * 3;
    const frames = new Uint8Array(this.slots.length * cameras.length * pixels);
    const slots = this.slots.map(({ world, at, isFirst }, row) => {
      const { images, instruction, stampNs, state } = world.observe();
      for (const [place, name] of cameras.entries()) {
        frames.set(images[name]!.data, (row * cameras.length + place) * pixels);
      }
      return { index: indices[at]!, isFirst, instruction, stampNs, state: state! };
    });
    const finished = this.finished;
    this.finished = [];
    return { slots, frames, finished };
  }

  close(): void {
    for (const { world } of this.slots) world.close();
    for (const world of this.idle) world.close();
  }
}

/** Chunks as the log keeps them: all as long as the shortest. */
function predictedChunks(asked: Slot["asked"]): PredictedChunks {
  const length = Math.min(...asked.map((answer) => answer.length));
  const width = (asked[0]!.actions.length / asked[0]!.length) * length;
  const actions = new Float32Array(asked.length * width);
  for (const [row, answer] of asked.entries()) actions.set(answer.actions.subarray(0, width), row * width);
  return { length, frames: Int32Array.from(asked, ({ frame }) => frame), actions };
}
