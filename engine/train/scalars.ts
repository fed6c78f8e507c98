import type { HostArray } from "../tree.ts";

export type Scalars = Readonly<Record<string, number>>;

/** The outputs that are single numbers. */
export const scalarsOf = (outputs: Readonly<Record<string, HostArray>>): Scalars =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([name, { data }]) => (data.length === 1 ? [[name, Number(data[0])]] : [])),
  );

/** Means over the batches of one update. The norm is that of the averaged gradient, complete with the last batch. */
export function meanScalars(parts: readonly Scalars[]): Scalars {
  const last = parts.at(-1)!;
  const mean = (name: string) => parts.reduce((sum, part) => sum + part[name]!, 0) / parts.length;
  const means = Object.fromEntries(Object.keys(last).map((name) => [name, mean(name)]));
  return { ...means, gradNorm: last.gradNorm! };
}
