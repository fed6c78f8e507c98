import type { Feature } from "#core/contracts/episode.ts";
import type { Finding } from "./findings.ts";

/** Running moments of one dimension over all episodes (Welford 1962). */
type Moments = { count: number; mean: number; squares: number; low: number; high: number };

/** A value further from the mean than this many standard deviations is an outlier. */
const outlierDeviations = 20;
/** Below this spread, relative to the size of the values, a dimension says nothing and normalisation blows it up. */
const constantShare = 1e-6;

const labelOf = (feature: Feature, dimension: number) => feature.names?.[dimension] ?? `dimension ${dimension}`;

/** Looks at numbers episode by episode; what concerns the whole set comes out of `finish`. */
export class ValueCheck {
  readonly #moments = new Map<string, Moments[]>();
  readonly #features: Readonly<Record<string, Feature>>;
  readonly #extremes = new Map<string, { episode: number; frame: number; value: number }>();

  constructor(features: Readonly<Record<string, Feature>>) {
    this.#features = features;
  }

  /** @param column [T, ...shape] flat */
  add(episode: number, name: string, column: ArrayLike<number>): Finding[] {
    const feature = this.#features[name]!;
    const width = feature.shape.reduce((product, size) => product * size, 1);
    if (width === 0) return [];
    const moments =
      this.#moments.get(name) ??
      Array.from(
        { length: width },
        (): Moments => ({
          count: 0,
          mean: 0,
          squares: 0,
          low: Number.POSITIVE_INFINITY,
          high: Number.NEGATIVE_INFINITY,
        }),
      );
    this.#moments.set(name, moments);
    let bad = 0;
    let firstBad = 0;
    for (let index = 0; index < column.length; index++) {
      const value = column[index]!;
      if (!Number.isFinite(value)) {
        if (bad++ === 0) firstBad = Math.floor(index / width);
        continue;
      }
      const dimension = index % width;
      const sum = moments[dimension]!;
      sum.count++;
      const distance = value - sum.mean;
      sum.mean += distance / sum.count;
      sum.squares += distance * (value - sum.mean);
      if (value < sum.low || value > sum.high)
        this.#extremes.set(`${name}/${dimension}/${value < sum.low ? "low" : "high"}`, {
          episode,
          frame: Math.floor(index / width),
          value,
        });
      sum.low = Math.min(sum.low, value);
      sum.high = Math.max(sum.high, value);
    }
    if (bad === 0) return [];
    return [
      {
        severity: "error",
        check: "values",
        episode,
        feature: name,
        message: `${bad} values are not finite, the first in frame ${firstBad}`,
      },
    ];
  }

  /** Mean, population deviation, least and greatest value of every dimension so far; `undefined` for other features. */
  summary(name: string): Record<"mean" | "std" | "min" | "max", number[]> | undefined {
    const all = this.#moments.get(name);
    return (
      all && {
        mean: all.map(({ mean }) => mean),
        std: all.map(({ squares, count }) => Math.sqrt(squares / Math.max(1, count))),
        min: all.map(({ low }) => low),
        max: all.map(({ high }) => high),
      }
    );
  }

  finish(): Finding[] {
    const findings: Finding[] = [];
    for (const [name, dimensions] of this.#moments) {
      const feature = this.#features[name]!;
      const constant: string[] = [];
      for (const [dimension, sum] of dimensions.entries()) {
        const deviation = Math.sqrt(sum.squares / Math.max(1, sum.count));
        if (sum.count > 1 && deviation <= constantShare * Math.max(1, Math.abs(sum.mean)))
          constant.push(labelOf(feature, dimension));
        else findings.push(...this.#outliers(name, dimension, sum, deviation));
      }
      if (constant.length > 0 && feature.dtype !== "bool") {
        findings.push({
          severity: "warning",
          check: "values",
          feature: name,
          message: `constant over the whole set: ${constant.slice(0, 8).join(", ")}${constant.length > 8 ? ` and ${constant.length - 8} more` : ""}`,
        });
      }
    }
    return findings;
  }

  #outliers(name: string, dimension: number, { mean, low, high }: Moments, deviation: number): Finding[] {
    return (["low", "high"] as const).flatMap((side): Finding[] => {
      const distance = Math.abs((side === "low" ? low : high) - mean) / deviation;
      const place = this.#extremes.get(`${name}/${dimension}/${side}`);
      if (!(distance > outlierDeviations) || !place) return [];
      const label = labelOf(this.#features[name]!, dimension);
      return [
        {
          ...({ severity: "warning", check: "values", episode: place.episode, feature: name } as const),
          message: `${label} is ${place.value.toPrecision(4)} in frame ${place.frame}, ${distance.toFixed(0)} standard deviations from the mean`,
        },
      ];
    });
  }
}
