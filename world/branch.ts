import type { WorldSnapshot } from "#core/contracts/world.ts";
import type { Progress } from "./tabletop/simulation.ts";
import type { SimulatedWorld } from "./world.ts";

export type BranchOptions = {
  /** Number of continuations, and the most control steps of each. */
  readonly branches: number;
  readonly horizon: number;
  /**
   * The action of one branch at one step, f32[A]. `world` is at that moment: look at it (`observe`, `truth`) only if
   * needed, because pictures cost more than physics.
   */
  readonly act: (at: {
    readonly branch: number;
    readonly step: number;
    readonly world: SimulatedWorld;
  }) => Float32Array | Promise<Float32Array>;
};

/** How one continuation ended. */
export type Continuation = Progress & {
  readonly steps: number;
  /** Why it is no success (yet), in sentences. */
  readonly reasons: readonly string[];
  /** Where it ended: `world.restore` goes on from there. */
  readonly end: WorldSnapshot;
};

/**
 * Plays several continuations of one snapshot, one after the other: equal actions give equal continuations to the last
 * bit. Afterwards the world is back at the snapshot.
 */
export async function branchWorld(
  world: SimulatedWorld,
  snapshot: WorldSnapshot,
  { branches, horizon, act }: BranchOptions,
): Promise<Continuation[]> {
  const continuations: Continuation[] = [];
  for (let branch = 0; branch < branches; branch++) {
    world.restore(snapshot);
    let steps = 0;
    for (; steps < horizon && !world.progress.done; steps++) {
      world.advance(await act({ branch, step: steps, world }));
    }
    const { reasons } = world.verdict();
    continuations.push({ ...world.progress, steps, reasons, end: world.snapshot() });
  }
  world.restore(snapshot);
  return continuations;
}
