import type { Feature } from "#core/contracts/episode.ts";
import { openParquet } from "../parquet.ts";
import { flattenColumn, valuesPerFrame } from "./columns.ts";
import { storedColumns } from "./schema.ts";
import { columnStatistics, type FeatureStatistics, type Histogram, histogramStatistics } from "./statistics.ts";

/** Pictures of one camera over the whole set. */
export type Pictures = { readonly histogram: Histogram; frames: number };

/** Adds the pictures of one episode. */
export function addPictures(all: Map<string, Pictures>, camera: string, histogram: Histogram, frames: number): void {
  const sum = all.get(camera) ?? { histogram: new Float64Array(histogram.length), frames: 0 };
  for (let cell = 0; cell < histogram.length; cell++) sum.histogram[cell]! += histogram[cell]!;
  sum.frames += frames;
  all.set(camera, sum);
}

/**
 * `meta/stats.json`: true statistics over the whole set. One feature at a time is read back from the finished files, so
 * that memory holds one column, whatever the set's size.
 *
 * @param files Parquet files of all episodes
 */
export async function globalStatistics(
  features: Readonly<Record<string, Feature>>,
  files: readonly string[],
  pictures: ReadonlyMap<string, Pictures>,
): Promise<Record<string, FeatureStatistics>> {
  const statistics: Record<string, FeatureStatistics> = {};
  for (const [name, feature] of storedColumns(features)) {
    if (feature.dtype === "string" || valuesPerFrame(feature) === 0) continue;
    const parts: Float64Array[] = [];
    for (const path of files) {
      const file = await openParquet(path);
      const rows = (await file.columns([name])).get(name)!;
      await file.close();
      parts.push(Float64Array.from(flattenColumn(path, name, feature, rows) as Float32Array, Number));
    }
    const column = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let filled = 0;
    for (const part of parts) {
      column.set(part, filled);
      filled += part.length;
    }
    statistics[name] = columnStatistics(feature, column);
  }
  for (const [camera, { histogram, frames }] of pictures) statistics[camera] = histogramStatistics(histogram, frames);
  return statistics;
}
