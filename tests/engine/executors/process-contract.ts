/** @file What every executor in a process of its own must do with its state, its caller and its end. */
import { afterEach, describe, expect, it } from "@jest/globals";
import {
  type Compiled,
  compile,
  createExecutor,
  type Executor,
  type ExecutorOptions,
  type Precision,
  tf,
} from "#engine/index.ts";
import { smallBatch, smallTrainStep } from "../small-training.ts";

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

type Sum = { total: tf.Tensor };

/** Keeps a running total of its input. */
const summing = (executor: Executor): Promise<Compiled> =>
  compile<Sum>(
    ({ total }, { x }) => {
      const next = tf.add(total, x!);
      return { state: { total: next }, outputs: { total: next, half: tf.div(next, 2) } };
    },
    {
      name: "summing",
      state: { total: { shape: [2], dtype: "float32", data: Float32Array.of(0, 0) } },
      inputs: { x: { shape: [2], dtype: "float32" } },
      executor,
    },
  );

export function describeProcess(engine: ExecutorOptions): void {
  const { kind } = engine;
  const opened: Executor[] = [];
  afterEach(async () => {
    for (const executor of opened.splice(0)) await executor.dispose();
  });
  async function start(): Promise<Executor & { pid: number }> {
    const executor = await createExecutor({ ...engine, threads: 2 });
    opened.push(executor);
    return executor as Executor & { pid: number };
  }

  it("outlives the signals that end a whole group: its caller decides", async () => {
    const executor = await start();
    const step = await summing(executor);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.kill(executor.pid, signal);
    const { total } = await step.run({ x: Float32Array.of(1, 2) });
    expect(total!.data).toEqual(Float32Array.of(1, 2));
  });

  describe("state in the executor", () => {
    it("advances from run to run, and results are the caller's own", async () => {
      const step = await summing(await start());
      const first = await step.run({ x: Float32Array.of(1, 2) });
      const second = await step.run({ x: Float32Array.of(10, 20) });
      expect(first.total!.data).toEqual(Float32Array.of(1, 2));
      expect(second.total!.data).toEqual(Float32Array.of(11, 22));
      expect(second.half!.data).toEqual(Float32Array.of(5.5, 11));
    });

    it("comes back as a copy and can be replaced", async () => {
      const step = await summing(await start());
      await step.run({ x: Float32Array.of(1, 2) });
      const saved = (await step.state()) as Record<string, { data: Float32Array; shape: number[]; dtype: "float32" }>;
      await step.run({ x: Float32Array.of(1, 2) });
      expect(saved.total!.data).toEqual(Float32Array.of(1, 2));
      saved.total!.data.fill(7);
      await step.load(saved);
      saved.total!.data.fill(0);
      expect((await step.run({ x: Float32Array.of(0, 1) })).total!.data).toEqual(Float32Array.of(7, 8));
    });

    it("keeps every dtype, leaves that stay, and leaves that change places", async () => {
      const executor = await start();
      const step = await compile(
        ({ a, b, count, flag, fixed }: Record<string, tf.Tensor>, { picture }) => ({
          state: {
            a: b!,
            b: a!,
            count: tf.add(count!, tf.scalar(1, "int32")),
            flag: tf.logicalNot(flag!),
            fixed: fixed!,
          },
          outputs: { bright: tf.sum(picture!), scaled: tf.mul(a!, fixed!), flag: flag!, again: tf.logicalNot(flag!) },
        }),
        {
          name: "mixed",
          state: {
            a: { shape: [2], dtype: "float32", data: Float32Array.of(1, 2) },
            b: { shape: [2], dtype: "float32", data: Float32Array.of(3, 4) },
            count: { shape: [], dtype: "int32", data: Int32Array.of(5) },
            flag: { shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) },
            fixed: { shape: [2], dtype: "float32", data: Float32Array.of(10, 100) },
          },
          inputs: { picture: { shape: [3], dtype: "uint8" } },
          executor,
        },
      );
      const first = await step.run({ picture: Uint8Array.of(255, 1, 0) });
      expect(first.bright!.data).toEqual(Float32Array.of(256));
      expect(first.scaled!.data).toEqual(Float32Array.of(10, 200));
      expect(first.flag).toEqual({ shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) });
      expect(first.again!.data).toEqual(Uint8Array.of(0, 1, 0));
      const second = await step.run({ picture: new Uint8Array(3) });
      expect(second.scaled!.data).toEqual(Float32Array.of(30, 400));
      const state = (await step.state()) as unknown as Record<string, { data: unknown }>;
      expect(state.a!.data).toEqual(Float32Array.of(1, 2));
      expect(state.count!.data).toEqual(Int32Array.of(7));
      expect(state.flag!.data).toEqual(Uint8Array.of(1, 0, 1));
      expect(state.fixed!.data).toEqual(Float32Array.of(10, 100));
    });

    it("is kept apart between functions of one executor, and runs are in the order of the calls", async () => {
      const executor = await start();
      const [a, b] = [await summing(executor), await summing(executor)];
      const one = Float32Array.of(1, 1);
      const results = await Promise.all([a.run({ x: one }), a.run({ x: one }), b.run({ x: one }), a.run({ x: one })]);
      expect(results.map(({ total }) => total!.data[0])).toEqual([1, 2, 1, 3]);
    });

    it("does not change when the caller reuses its input array at once", async () => {
      const step = await summing(await start());
      const x = Float32Array.of(1, 2);
      const running = step.run({ x });
      x.fill(100);
      expect((await running).total!.data).toEqual(Float32Array.of(1, 2));
    });
  });

  describe("the process of the executor", () => {
    it("ends with dispose", async () => {
      const executor = await start();
      await summing(executor);
      expect(isAlive(executor.pid)).toBe(true);
      await executor.dispose();
      expect(isAlive(executor.pid)).toBe(false);
    });

    it("that is killed refuses what was asked and what comes after, in one sentence", async () => {
      const executor = await start();
      const step = await summing(executor);
      process.kill(executor.pid, "SIGSTOP");
      const running = step.run({ x: Float32Array.of(1, 2) });
      process.kill(executor.pid, "SIGKILL");
      const sentence = `${kind}: the engine's process ended (signal SIGKILL): the system does that when memory runs out. Its state is lost; go on from the last checkpoint.`;
      await expect(running).rejects.toThrow(sentence);
      await expect(step.run({ x: Float32Array.of(1, 2) })).rejects.toThrow(sentence);
      await expect(step.state()).rejects.toThrow(sentence);
    });

    it("leaves the caller's event loop free while it works", async () => {
      const executor = await start();
      const busy = await compile(
        (_state, { x }) => {
          let y: tf.Tensor = x!;
          for (let i = 0; i < 12; i++) y = tf.tanh(tf.matMul(y, x!));
          return { outputs: { y: tf.sum(y) } };
        },
        { name: "busy", state: {}, inputs: { x: { shape: [700, 700], dtype: "float32" } }, executor },
      );
      let ticks = 0;
      const timer = setInterval(() => ticks++, 2);
      await busy.run({ x: new Float32Array(490_000).fill(1e-3) });
      clearInterval(timer);
      expect(ticks).toBeGreaterThan(5);
    });
  });

  describe("precision", () => {
    const product = async (executor: Executor, precision: Precision) => {
      const compiled = await compile((_state, { a, b }) => ({ outputs: { c: tf.matMul(a!, b!) } }), {
        name: "product",
        state: {},
        inputs: { a: { shape: [1, 2], dtype: "float32" }, b: { shape: [2, 1], dtype: "float32" } },
        executor,
        precision,
      });
      // 1 + 2^-9 is no bfloat16 number: it is rounded to 1.
      return (await compiled.run({ a: Float32Array.of(1 + 2 ** -9, 2), b: Float32Array.of(1, 0.25) })).c!.data[0];
    };

    it("rounds the factors of products alone, where it is bfloat16", async () => {
      const executor = await start();
      expect(await product(executor, "float32")).toBe(1.5 + 2 ** -9);
      if (!executor.precisions.includes("bfloat16")) {
        await expect(product(executor, "bfloat16")).rejects.toThrow(
          `compile "product": ${kind} computes in float32, got bfloat16. Take another engine.`,
        );
        return;
      }
      expect(await product(executor, "bfloat16")).toBe(1.5);
    });

    it("trains in bfloat16 with weights that move by less than it can tell", async () => {
      const executor = await start();
      if (!executor.precisions.includes("bfloat16")) return;
      const run = async (precision: Precision) => {
        const step = await smallTrainStep(executor, { weightDecay: 0 }, { precision });
        const losses: number[] = [];
        for (let index = 0; index < 20; index++) {
          losses.push((await step.run(smallBatch(index), { learningRate: 1e-2 })).loss!.data[0]!);
        }
        return losses;
      };
      const [coarse, fine] = [await run("bfloat16"), await run("float32")];
      expect(coarse).not.toEqual(fine);
      expect(coarse).toBeAllClose(fine, { relative: 0.03 });
    });
  });
}
