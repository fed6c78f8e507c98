/** @file Policies that know nothing: what a success rate must be compared with. */
import type { ActionChunk, ActionSpace } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { BatchPolicy } from "#core/contracts/policy.ts";
import { createRng } from "#core/rng.ts";

type FloorOptions = {
  readonly space: ActionSpace;
  readonly size?: number;
  readonly chunkLength?: number;
  /** Default 10. */
  readonly rateHz?: number;
};

/** Never moves. */
export const zeroPolicy = (options: FloorOptions): BatchPolicy => floor("zero", options, () => () => 0);

/**
 * Moves at random: every action uniform within the limits. A pure function of seed and observation, so that the same
 * rollout has the same actions in any batch.
 */
export const randomPolicy = (options: FloorOptions & { readonly seed: number }): BatchPolicy =>
  floor(`random-${options.seed}`, options, ({ stampNs, state, instruction }) => {
    const rng = createRng(`${options.seed}/${stampNs}/${instruction}/${state?.join()}`);
    const { low, high } = options.space.limits;
    return (dimension) => rng.uniform(low[dimension]!, high[dimension]!);
  });

function floor(
  policyId: string,
  { space, size = 8, chunkLength = 1, rateHz = 10 }: FloorOptions,
  actor: (observation: Observation) => (dimension: number) => number,
): BatchPolicy {
  const width = space.names.length;
  const answer = (observation: Observation): ActionChunk => {
    const act = actor(observation);
    const actions = Float32Array.from({ length: chunkLength * width }, (_, index) => act(index % width));
    return { actions, length: chunkLength, rateHz, space, stampNs: observation.stampNs, policyId };
  };
  return {
    spec: {
      policyId,
      cameras: [{ name: "front", height: size, width: size }],
      stateSize: 0,
      space,
      chunkLength,
      rateHz,
    },
    infer: async (observation) => answer(observation),
    inferBatch: async (observations) => observations.map(answer),
    reset: () => undefined,
  };
}
