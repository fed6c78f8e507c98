/** @file Linear probes: how much of a true quantity can be read off a representation by a straight line. */
import { solveSymmetric } from "../linear-algebra/solve-symmetric.ts";

export type LinearProbe = { readonly inputs: number; readonly outputs: number; readonly weights: Float64Array };

/**
 * Ridge regression with an intercept that is not penalised: `W = (XᵀX + λnI)⁻¹ XᵀY`.
 *
 * @param x f[N, F] row-major @param y f[N, A] row-major
 * @returns weights f64[F + 1, A]; the last row is the intercept
 */
export function fitLinearProbe(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { rows, ridge = 1e-4 }: { rows: number; ridge?: number },
): LinearProbe {
  const inputs = x.length / rows;
  const outputs = y.length / rows;
  const size = inputs + 1;
  const gram = new Float64Array(size * size);
  const cross = new Float64Array(size * outputs);
  const row = new Float64Array(size);
  row[inputs] = 1;
  for (let sample = 0; sample < rows; sample++) {
    for (let index = 0; index < inputs; index++) row[index] = x[sample * inputs + index]!;
    for (let i = 0; i < size; i++) {
      if (row[i] === 0) continue;
      for (let j = i; j < size; j++) gram[i * size + j] = gram[i * size + j]! + row[i]! * row[j]!;
      for (let a = 0; a < outputs; a++) {
        cross[i * outputs + a] = cross[i * outputs + a]! + row[i]! * y[sample * outputs + a]!;
      }
    }
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) gram[i * size + j] = gram[j * size + i]!;
  for (let i = 0; i < inputs; i++) gram[i * size + i] = gram[i * size + i]! + ridge * rows;
  return { inputs, outputs, weights: solveSymmetric(gram, cross, size, outputs) };
}

/** Predictions f64[N, A]. */
export function applyLinearProbe(probe: LinearProbe, x: ArrayLike<number>, rows: number): Float64Array {
  const { inputs, outputs, weights } = probe;
  const predicted = new Float64Array(rows * outputs);
  for (let sample = 0; sample < rows; sample++) {
    for (let a = 0; a < outputs; a++) {
      let sum = weights[inputs * outputs + a]!;
      for (let index = 0; index < inputs; index++) sum += x[sample * inputs + index]! * weights[index * outputs + a]!;
      predicted[sample * outputs + a] = sum;
    }
  }
  return predicted;
}

/**
 * Share of variance explained, `1 - Σ(y - ŷ)² / Σ(y - ȳ)²`, averaged over the A outputs. Negative: worse than the mean.
 * An output that does not vary counts for nothing.
 */
export function rSquared(predicted: ArrayLike<number>, actual: ArrayLike<number>, outputs: number): number {
  const rows = actual.length / outputs;
  const scores: number[] = [];
  for (let a = 0; a < outputs; a++) {
    let centre = 0;
    for (let sample = 0; sample < rows; sample++) centre += actual[sample * outputs + a]! / rows;
    let residual = 0;
    let total = 0;
    for (let sample = 0; sample < rows; sample++) {
      const value = actual[sample * outputs + a]!;
      residual += (value - predicted[sample * outputs + a]!) ** 2;
      total += (value - centre) ** 2;
    }
    if (total > 0) scores.push(1 - residual / total);
  }
  return scores.length === 0 ? Number.NaN : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
