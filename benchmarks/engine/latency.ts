/** @file Latency of a compiled policy at batch 1, and whether memory grows over many calls. */
import { readFileSync } from "node:fs";
import { createRng } from "#core/rng.ts";
import { compile, createExecutor, type EngineKind, type HostArray, type Tree, tf } from "#engine/index.ts";
import { finetuneConfig } from "#lapa/finetune/config.ts";
import { type ActionVlaParameters, actionLogits, initActionHead } from "#lapa/finetune/model.ts";
import { initBackbone } from "#lapa/latent-vla/index.ts";
import { toModelRange } from "#lapa/quantizer/index.ts";

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

const residentMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

/** One picture and instruction to the bins of a chunk of actions, with the weights of the preset's size. */
async function compilePolicy(kind: EngineKind, threads: number) {
  const executor = await createExecutor({ kind, threads });
  const { model, head } = finetuneConfig.parse({});
  const rng = createRng("latency");
  const shape = { dimensions: 3, chunkLength: head.chunkLength, bins: head.bins };
  const state = {
    trunk: initBackbone(rng.fork("trunk"), model),
    action: initActionHead(rng.fork("head"), model, shape),
  } as unknown as Tree<HostArray>;
  const policy = await compile(
    (params, inputs) => {
      const images = toModelRange(inputs.images as tf.Tensor4D);
      const logits = actionLogits(
        params as unknown as ActionVlaParameters<tf.Tensor>,
        model,
        images as tf.Tensor4D,
        inputs.words as tf.Tensor2D,
      );
      return { outputs: { bins: tf.argMax(logits, -1) } };
    },
    {
      name: "policy",
      state,
      inputs: {
        images: { shape: [1, model.imageSize, model.imageSize, 3], dtype: "uint8" },
        words: { shape: [1, model.textLength], dtype: "int32" },
      },
      executor,
    },
  );
  const images = Uint8Array.from({ length: model.imageSize ** 2 * 3 }, () => rng.integer(256));
  return { executor, policy, inputs: { images, words: new Int32Array(model.textLength) } };
}

export type LatencyOptions = {
  readonly kinds: readonly EngineKind[];
  readonly threads: number;
  readonly calls: number;
  /** Calls of a small function over which memory must not grow. */
  readonly manyCalls: number;
  readonly log: (line: string) => void;
};

async function growthOver(kind: EngineKind, calls: number): Promise<number> {
  const executor = await createExecutor({ kind, threads: 1 });
  const small = await compile((_state, { x }) => ({ outputs: { y: tf.tanh(x!) } }), {
    name: "many",
    state: {},
    inputs: { x: { shape: [64], dtype: "float32" } },
    executor,
  });
  const x = new Float32Array(64);
  const call = async (count: number) => {
    for (let index = 0; index < count; index++) await small.run({ x });
    return residentMiB(executor.pid!);
  };
  const early = await call(Math.ceil(calls / 5));
  const late = await call(calls);
  await executor.dispose();
  return late - early;
}

export async function measureLatency({ kinds, threads, calls, manyCalls, log }: LatencyOptions) {
  const rows: Record<string, unknown>[] = [];
  for (const kind of kinds) {
    const { executor, policy, inputs } = await compilePolicy(kind, threads);
    for (let index = 0; index < 20; index++) await policy.run(inputs);
    const ms: number[] = [];
    for (let index = 0; index < calls; index++) {
      const start = performance.now();
      await policy.run(inputs);
      ms.push(performance.now() - start);
    }
    await executor.dispose();
    ms.sort((a, b) => a - b);
    const [p50Ms, p99Ms] = [quantile(ms, 0.5), quantile(ms, 0.99)];
    const grownMiB = await growthOver(kind, manyCalls);
    rows.push({ kind: "inference", engine: kind, p50Ms, p99Ms, calls, manyCalls, grownMiB });
    log(`inference: ${kind} p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, memory ${grownMiB.toFixed(1)} MiB`);
  }
  return rows;
}
