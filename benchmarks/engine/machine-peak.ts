import { compile, createExecutor, type EngineKind, tf } from "#engine/index.ts";

const size = 1536;
const products = 4;

/** Floating point operations per second of a chain of large products, the best of a few: what this machine can do at most. */
export async function measurePeak(kinds: readonly EngineKind[], threads: number): Promise<number> {
  const rates: number[] = [];
  for (const kind of kinds) {
    const executor = await createExecutor({ kind, threads });
    const chain = await compile(
      (_state, { x }) => {
        let y: tf.Tensor = x!;
        for (let index = 0; index < products; index++) y = tf.matMul(y, x!);
        return { outputs: { sum: tf.sum(y) } };
      },
      { name: "peak", state: {}, inputs: { x: { shape: [size, size], dtype: "float32" } }, executor },
    );
    const x = new Float32Array(size * size).fill(1 / size);
    for (let repeat = 0; repeat < 8; repeat++) {
      const before = chain.computeMs;
      await chain.run({ x });
      rates.push((products * 2 * size ** 3) / ((chain.computeMs - before) / 1000));
    }
    await executor.dispose();
  }
  return Math.max(...rates);
}
