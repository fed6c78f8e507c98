import { expect, it } from "@jest/globals";
import { signatureOf } from "#engine/executors/host/hosted-executor.ts";
import { cutProgram } from "#engine/executors/tensorflow/stages.ts";
import { tf } from "#engine/index.ts";
import { allMean } from "#engine/trace/all-mean.ts";
import { traceProgram } from "#engine/trace/trace.ts";
import type { HostArray, Tree } from "#engine/tree.ts";

/** w moves against the mean gradient; `early` needs no exchange, `late` does; `kept` crosses it. */
function task() {
  const state = {
    w: { shape: [2], dtype: "float32", data: Float32Array.of(1, 2) },
    seen: { shape: [], dtype: "float32", data: Float32Array.of(0) },
  } satisfies Tree<HostArray>;
  const inputs = { x: { shape: [2], dtype: "float32" } } as const;
  const evaluate = ({ w, seen }: Record<string, tf.Tensor>, { x }: Record<string, tf.Tensor>) => {
    const kept = tf.tanh(x!);
    const mean = allMean(tf.mul(w!, kept) as tf.Tensor1D);
    return {
      state: { w: tf.sub(w!, mean), seen: tf.add(seen!, 1) },
      outputs: { early: tf.sum(kept), late: tf.add(mean, kept) },
    };
  };
  const program = traceProgram(evaluate as never, { name: "cut", state, inputs });
  return { name: "cut", program, evaluate: evaluate as never, state, inputs, precision: "float32" as const };
}

it("stays whole where one process trains alone", () => {
  const given = task();
  const { stages, exchange } = cutProgram(given.program, signatureOf(given), "float32", false);
  expect(exchange).toBeUndefined();
  expect(stages.map(({ gives }) => gives.map(({ name }) => name))).toEqual([
    ["output:early", "output:late", "next:w", "next:seen"],
  ]);
});

it("is cut so that the second part needs nothing that the first has not given, and stores all state", () => {
  const given = task();
  const { stages, exchange } = cutProgram(given.program, signatureOf(given), "float32", true);
  const [before, after] = stages.map(({ takes, gives }) => ({
    takes: takes.map(({ name }) => name),
    gives: gives.map(({ name }) => name),
  }));
  expect(exchange).toMatchObject({
    from: { name: "exchange:own", shape: [2] },
    to: { name: "exchange:mean", shape: [2] },
  });
  const cut = before!.gives.filter((name) => name.startsWith("cut:"));
  expect(before).toEqual({
    takes: ["state:w", "state:seen", "input:x"],
    gives: ["exchange:own", ...cut, "output:early"],
  });
  expect(cut).toHaveLength(2); // tanh(x), and the next count, which is stored with the rest
  expect(after).toEqual({
    takes: ["exchange:mean", ...cut, "state:w"],
    gives: ["output:late", "next:w", "next:seen"],
  });
  expect(stages[1]!.module).not.toContain("stablehlo.tanh");
});
