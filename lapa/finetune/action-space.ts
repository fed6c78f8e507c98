import type { ActionKind, ActionSpace } from "#core/contracts/action.ts";
import type { DatasetInfo } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";

const isActionSpace = (value: unknown): value is ActionSpace =>
  typeof value === "object" && value !== null && "kind" in value && "names" in value && "limits" in value;

/** LeRobot names a column's entries by a list, or by lists per group ({ motors: [...] }). */
function columnNames(names: unknown): string[] | undefined {
  if (Array.isArray(names)) return names.map(String);
  return typeof names === "object" && names !== null ? Object.values(names).flat().map(String) : undefined;
}

/**
 * What a data set's actions are: as its metadata says, else by the names of its column, as `kind`, within the values seen.
 *
 * @param actions f32[N, A] all actions of the set
 * @throws UserError when the metadata speaks of another number of dimensions than the column has
 */
export function actionSpaceOf(info: DatasetInfo, actions: Float32Array, kind: ActionKind): ActionSpace {
  const known = info.metadata.actionSpace;
  const { shape = [], names } = info.features.action ?? {};
  const size = shape[0] ?? 1;
  if (isActionSpace(known)) {
    if (known.names.length === size) return known;
    throw new UserError(
      `${info.path}: its action space has ${known.names.length} dimensions (${known.names.join(", ")}), its actions ${size}. Correct the metadata.`,
    );
  }
  const low = new Array<number>(size).fill(Number.POSITIVE_INFINITY);
  const high = new Array<number>(size).fill(Number.NEGATIVE_INFINITY);
  for (const [index, value] of actions.entries()) {
    low[index % size] = Math.min(low[index % size]!, value);
    high[index % size] = Math.max(high[index % size]!, value);
  }
  const given = columnNames(names);
  return {
    kind,
    names: given?.length === size ? given : Array.from({ length: size }, (_, index) => `action ${index}`),
    units: new Array<string>(size).fill("as recorded"),
    limits: { low, high },
  };
}

/** Describes what must agree before demonstrations of several data sets can be learned together. */
export const spaceSignature = ({ kind, names, units }: ActionSpace): string => JSON.stringify([kind, names, units]);
