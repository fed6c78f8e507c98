import type { ActionKind, ActionSpace } from "#core/contracts/action.ts";
import type { DatasetInfo } from "#core/contracts/episode.ts";

const isActionSpace = (value: unknown): value is ActionSpace =>
  typeof value === "object" && value !== null && "kind" in value && "names" in value && "limits" in value;

/**
 * What a data set's actions are: as its metadata says, else by the names of its column, as `kind`, within the values seen.
 *
 * @param actions f32[N, A] all actions of the set
 */
export function actionSpaceOf(info: DatasetInfo, actions: Float32Array, kind: ActionKind): ActionSpace {
  const known = info.metadata.actionSpace;
  if (isActionSpace(known)) return known;
  const { shape = [], names } = info.features.action ?? {};
  const size = shape[0] ?? 1;
  const low = new Array<number>(size).fill(Number.POSITIVE_INFINITY);
  const high = new Array<number>(size).fill(Number.NEGATIVE_INFINITY);
  for (const [index, value] of actions.entries()) {
    low[index % size] = Math.min(low[index % size]!, value);
    high[index % size] = Math.max(high[index % size]!, value);
  }
  return {
    kind,
    names: names ?? Array.from({ length: size }, (_, index) => `action ${index}`),
    units: new Array<string>(size).fill("as recorded"),
    limits: { low, high },
  };
}
