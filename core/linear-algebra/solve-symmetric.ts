/** Cholesky factor of a symmetric matrix; a vanishing pivot becomes zero. */
function choleskyFactor(gram: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gram[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * size + k]! * lower[j * size + k]!;
      if (i === j) lower[i * size + i] = sum > 1e-12 ? Math.sqrt(sum) : 0;
      else lower[i * size + j] = lower[j * size + j] === 0 ? 0 : sum / lower[j * size + j]!;
    }
  }
  return lower;
}

/**
 * Solves `G W = C` for a symmetric positive semidefinite G by Cholesky; an unknown with a vanishing pivot stays at zero.
 *
 * @param gram f64[size, size] @param cross f64[size, outputs], both row-major
 * @returns f64[size, outputs]
 */
export function solveSymmetric(gram: Float64Array, cross: Float64Array, size: number, outputs: number): Float64Array {
  const lower = choleskyFactor(gram, size);
  const solution = cross.slice();
  const divide = (row: number, a: number, sum: number) => {
    const pivot = lower[row * size + row]!;
    solution[row * outputs + a] = pivot === 0 ? 0 : sum / pivot;
  };
  for (let a = 0; a < outputs; a++) {
    for (let i = 0; i < size; i++) {
      let sum = solution[i * outputs + a]!;
      for (let k = 0; k < i; k++) sum -= lower[i * size + k]! * solution[k * outputs + a]!;
      divide(i, a, sum);
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = solution[i * outputs + a]!;
      for (let k = i + 1; k < size; k++) sum -= lower[k * size + i]! * solution[k * outputs + a]!;
      divide(i, a, sum);
    }
  }
  return solution;
}
