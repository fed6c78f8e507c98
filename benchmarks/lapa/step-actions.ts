/** @file Latency of one action chunk, with and without the key-value cache, and rate of labelling. */
import { binCount, fitActionTokenizer } from "#core/actions/bins.ts";
import { createRng } from "#core/rng.ts";
import { compile, createExecutor, type EngineKind, type HostInput, sizeOf } from "#engine/index.ts";
import { finetuneConfig, inferenceProgram, type PolicyModel } from "#lapa/finetune/index.ts";
import { initActionHead } from "#lapa/finetune/model.ts";
import { initBackbone, latentVlaPresets } from "#lapa/latent-vla/index.ts";
import { createQuantizerRunner, quantizerPresets, quantizerTrainConfig } from "#lapa/quantizer/index.ts";
import { initQuantizer } from "#lapa/quantizer/model.ts";
import { initCodebook } from "#lapa/quantizer/vector-quantize.ts";
import { peakMiB } from "../engine/contestants.ts";

const dimensions = 7;

/** A policy of random weights for an arm with seven action dimensions: its answers are nonsense, its time is real. */
function drawnPolicy(preset: "tiny" | "small", head: object): PolicyModel {
  const model = preset === "tiny" ? {} : latentVlaPresets[preset].model;
  const config = finetuneConfig.parse({ model: { ...model, vocabularySize: 64 }, head: { bins: 256, ...head } });
  const rng = createRng("actions");
  const values = Float32Array.from({ length: 4000 * dimensions }, () => rng.normal());
  const tokenizer = fitActionTokenizer(values, dimensions, config.head.bins);
  const { kind, order, chunkLength } = config.head;
  const shape = { dimensions, chunkLength, bins: binCount(tokenizer), kind, order };
  const each = (value: number) => new Array<number>(dimensions).fill(value);
  return {
    ...{ policyId: "drawn", backbone: config.model, head: config.head, vocabulary: [], tokenizer },
    parameters: {
      trunk: initBackbone(rng.fork("trunk"), config.model),
      action: initActionHead(rng.fork("head"), config.model, shape),
    },
    normalisation: { offset: each(0), scale: each(1) },
    space: {
      kind: "end-effector-delta",
      names: each(0).map((_, index) => `action ${index}`),
      units: each(0).map(() => "1"),
      limits: { low: each(-1), high: each(1) },
    },
    ...{ camera: "front", rateHz: 10 },
  };
}

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

type Case = {
  readonly name: string;
  readonly preset: "tiny" | "small";
  readonly head: object;
  readonly cache: boolean;
};

/** As published: one action of seven dimensions, one after another. Ours: four actions at once. */
const cases: readonly Case[] = (["tiny", "small"] as const).flatMap((preset) => {
  const inOrder = { order: "autoregressive", decoding: "argmax", chunkLength: 1 };
  return [
    { name: "one after another, cache", preset, head: inOrder, cache: true },
    { name: "one after another, no cache", preset, head: inOrder, cache: false },
    { name: "at once, chunk of 4", preset, head: { chunkLength: 4 }, cache: true },
    { name: "flow, chunk of 4", preset, head: { kind: "flow", chunkLength: 4 }, cache: true },
  ];
});

export type ActionOptions = {
  readonly kind: EngineKind;
  readonly threads: number;
  readonly calls: number;
  readonly log: (line: string) => void;
};

export async function measureActions({ kind, threads, calls, log }: ActionOptions) {
  const rows: Record<string, unknown>[] = [];
  for (const { name, preset, head, cache } of cases) {
    const model = drawnPolicy(preset, head);
    const { infer, ...program } = inferenceProgram(model, 1, cache);
    const executor = await createExecutor({ kind, threads });
    try {
      const start = performance.now();
      const policy = await compile(infer, { ...program, executor });
      const startMs = performance.now() - start;
      const rng = createRng("action inputs");
      const inputs = Object.entries(program.inputs).map(([key, { shape, dtype }]): [string, HostInput] => {
        const length = sizeOf(shape);
        if (dtype === "uint8") return [key, Uint8Array.from({ length }, () => rng.integer(256))];
        return [key, dtype === "int32" ? new Int32Array(length) : Float32Array.from({ length }, () => rng.normal())];
      });
      const given = Object.fromEntries(inputs);
      const ms: number[] = [];
      for (let call = -20; call < calls; call++) {
        const begin = performance.now();
        await policy.run(given);
        if (call >= 0) ms.push(performance.now() - begin);
      }
      ms.sort((a, b) => a - b);
      const [p50Ms, p99Ms] = [quantile(ms, 0.5), quantile(ms, 0.99)];
      const memory = executor.pid === undefined ? undefined : peakMiB(executor.pid);
      rows.push({
        kind: "action",
        engine: kind,
        preset,
        decoding: name,
        p50Ms,
        p99Ms,
        calls,
        startMs,
        peakMiB: memory,
      });
      log(`action: ${preset}, ${name}: p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`);
    } finally {
      await executor.dispose();
    }
  }
  return rows;
}

/** Pairs per second that the tiny quantizer names, from frames in memory. */
export async function measureLabels({ kind, threads, log }: ActionOptions, count: number) {
  const config = quantizerTrainConfig.parse(quantizerPresets.tiny);
  const rng = createRng("labels");
  const { imageSize, codebookSize, codeWidth } = config.model;
  const quantizer = {
    ...{ id: "drawn", path: "", config, parameters: initQuantizer(rng.fork("weights"), config.model) },
    codebook: initCodebook(rng.fork("codebook"), codebookSize, codeWidth),
  };
  const clip = { name: "", path: "", frames: 64, timestampsS: new Float64Array(64), hash: "" };
  const picture = Uint8Array.from({ length: imageSize ** 2 * 3 }, () => rng.integer(256));
  const frames = {
    ...{ size: imageSize, clips: [clip] },
    read: (_clip: number, _frame: number, out: Uint8Array, offset: number) => out.set(picture, offset),
  };
  const indices = () => Int32Array.from({ length: count }, () => rng.integer(64));
  const pairs = { length: count, clip: new Int32Array(count), first: indices(), second: indices() };
  const executor = await createExecutor({ kind, threads });
  try {
    const runner = createQuantizerRunner(quantizer, executor);
    await runner.encode(frames, pairs);
    const begin = performance.now();
    await runner.encode(frames, pairs);
    const labelsPerSecond = (1000 * count) / (performance.now() - begin);
    log(`labels: ${labelsPerSecond.toFixed(0)} per second`);
    return [{ kind: "labels", engine: kind, labelsPerSecond, pairs: count }];
  } finally {
    await executor.dispose();
  }
}
