import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { startHost } from "#engine/executors/host/host-process.ts";
import { type Compiled, compile, createExecutor, type Executor, tf } from "#engine/index.ts";

import { temporaryFolder } from "../small-training.ts";

const opened: Executor[] = [];
afterEach(async () => {
  for (const executor of opened.splice(0)) await executor.dispose();
});

async function start(): Promise<Executor & { pid: number }> {
  const executor = await createExecutor({ kind: "onnxruntime", threads: 2 });
  opened.push(executor);
  return executor as Executor & { pid: number };
}

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

  it("stays as it was when a run fails", async () => {
    const step = await compile<Sum>(
      ({ total }, { at }) => {
        const next = tf.add(total, tf.sum(tf.gather(tf.tensor1d([1, 2, 4]), at as tf.Tensor1D)));
        return { state: { total: next }, outputs: { total: next } };
      },
      {
        name: "looking up",
        state: { total: { shape: [], dtype: "float32", data: Float32Array.of(0) } },
        inputs: { at: { shape: [1], dtype: "int32" } },
        executor: await start(),
      },
    );
    await step.run({ at: Int32Array.of(2) });
    await expect(step.run({ at: Int32Array.of(5) })).rejects.toThrow(
      /^onnxruntime: indices element out of data bounds, idx=5 must be within the inclusive range \[-3,2\]/,
    );
    expect((await step.run({ at: Int32Array.of(0) })).total!.data[0]).toBe(5);
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
    const sentence =
      "onnxruntime: the engine's process ended (signal SIGKILL): the system does that when memory runs out. Its state is lost; go on from the last checkpoint.";
    await expect(running).rejects.toThrow(sentence);
    await expect(step.run({ x: Float32Array.of(1, 2) })).rejects.toThrow(sentence);
    await expect(step.state()).rejects.toThrow(sentence);
  });

  it("that cannot start says why", async () => {
    const program = new URL(`file://${join(temporaryFolder(), "broken-host.mjs")}`);
    writeFileSync(program, 'throw new Error("libonnxruntime.so.1: cannot open shared object file");');
    await expect(startHost({ label: "onnxruntime", program })).rejects.toThrow(
      /^onnxruntime: the engine's process ended \(exit code 1\): Error: libonnxruntime.so.1: cannot open shared object file\./,
    );
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

describe("createExecutor", () => {
  it("says which executor it took and why", async () => {
    const executor = await createExecutor({ kind: "auto", threads: 1 });
    opened.push(executor);
    expect(executor.reason).toBe("onnxruntime: the fastest engine present, 1 thread");
  });

  it("refuses a number of threads that is no count", async () => {
    await expect(createExecutor({ kind: "auto", threads: 0 })).rejects.toThrow(
      "engine.threads: must be a whole number of at least 1, got 0.",
    );
  });
});
