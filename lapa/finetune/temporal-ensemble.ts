import type { ActionChunk } from "#core/contracts/action.ts";
import type { Policy } from "#core/contracts/policy.ts";
import { ConfigError } from "#core/errors.ts";

/**
 * Averages what successive chunks say about the same instant (Zhao et al. 2023, ACT, section IV-B): weights
 * `exp(-decay * i)`, where chunk i = 0 is the oldest that still speaks about it. A gripper is averaged like everything else.
 *
 * Row r of an answer is due at its stamp plus r control periods; earlier chunks are read at the row nearest to that time.
 *
 * @param decay per chunk, at least 0; small: old answers count as much as new ones
 * @throws ConfigError when `decay` is negative
 */
export function temporalEnsemble(policy: Policy, decay = 0.01): Policy {
  if (!(decay >= 0)) throw new ConfigError(`temporal ensemble: the decay must be at least 0, got ${decay}.`);
  let chunks: ActionChunk[] = [];
  const rowAt = ({ stampNs, rateHz }: ActionChunk, dueNs: number, nowNs: bigint) =>
    Math.round(((Number(nowNs - stampNs) + dueNs) * rateHz) / 1e9);
  return {
    spec: policy.spec,
    async infer(observation, signal) {
      const fresh = await policy.infer(observation, signal);
      const { stampNs, rateHz, length } = fresh;
      // Time that runs backwards, or an observation asked again, ends what came before.
      const isEarlier = (chunk: ActionChunk) => chunk.stampNs < stampNs && rowAt(chunk, 0, stampNs) < chunk.length;
      chunks = [...chunks.filter(isEarlier), fresh];
      const size = fresh.actions.length / length;
      const actions = new Float32Array(fresh.actions.length);
      for (let row = 0; row < length; row++) {
        const speaking = chunks.flatMap((chunk) => {
          const at = rowAt(chunk, (row / rateHz) * 1e9, stampNs);
          return at >= 0 && at < chunk.length ? [chunk.actions.subarray(at * size, (at + 1) * size)] : [];
        });
        const weights = speaking.map((_, index) => Math.exp(-decay * index));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let at = 0; at < size; at++) {
          const sum = speaking.reduce((part, said, index) => part + weights[index]! * said[at]!, 0);
          actions[row * size + at] = sum / total;
        }
      }
      return { ...fresh, actions };
    },
    reset() {
      chunks = [];
      policy.reset();
    },
  };
}
