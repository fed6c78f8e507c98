/**
 * @file How a row of the kernel tables is written: one row per TensorFlow.js kernel (and per way of calling it) that models
 * and their gradients use. Each is computed by the executor under test and by the oracle; gradients are compared too, and
 * with finite differences.
 */
import { tf } from "#engine/index.ts";

export type Given = {
  readonly shape: readonly number[];
  readonly dtype?: "float32" | "int32";
  /** Numbers are drawn evenly from [low, high). */
  readonly low?: number;
  readonly high?: number;
  /** Numbers in row-major order instead of drawn ones. */
  readonly values?: readonly number[];
};

export type KernelCase = {
  readonly name: string;
  readonly given: Readonly<Record<string, Given>>;
  // biome-ignore lint/suspicious/noExplicitAny: each row names its own inputs and their ranks
  readonly evaluate: (inputs: any) => tf.Tensor | tf.Tensor[];
  /** False where the result has no useful slope. */
  readonly slope?: boolean;
  readonly absolute?: number;
};

export const float = (...shape: number[]): Given => ({ shape });
export const between = (low: number, high: number, ...shape: number[]): Given => ({ shape, low, high });
export const whole = (low: number, high: number, ...shape: number[]): Given => ({ shape, dtype: "int32", low, high });
export const exactly = (values: number[], shape = [values.length]): Given => ({ shape, values });
export const exactlyWhole = (values: number[], shape = [values.length]): Given => ({ shape, values, dtype: "int32" });

type One = (x: tf.Tensor) => tf.Tensor;
export const unary = (name: string, evaluate: One, x: Given = float(3, 4)): KernelCase => ({
  name,
  given: { x },
  evaluate: ({ x }) => evaluate(x),
});
export const flat = (row: KernelCase): KernelCase => ({ ...row, slope: false });

type Two = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
export const binary = (name: string, evaluate: Two, a: Given = float(2, 3), b: Given = float(2, 3)): KernelCase => ({
  name,
  given: { a, b },
  evaluate: ({ a, b }) => evaluate(a, b),
});

export const asFloat = (x: tf.Tensor) => tf.cast(x, "float32");

export const cube = float(2, 3, 4);
/** No two numbers are near each other: the largest stays the largest when all move a little. */
export const distinct = exactly([4, 1, 3, 2, 9, 5, 0, 8, 6, 7, 11, 10], [2, 2, 3]);
