import { describe, expect, it } from "@jest/globals";
import { findPython, startOwn } from "#benchmarks/engine/contestants.ts";
import { competitors } from "#benchmarks/lapa/step.ts";
import { stepProblems } from "#benchmarks/lapa/step-problems.ts";

const pythons = { torchPython: findPython("torch", "") ?? "", jaxPython: findPython("jax", "") ?? "" };
const isThere = pythons.torchPython !== "" || pythons.jaxPython !== "";

(isThere ? describe : describe.skip)("the benchmark's models in Python (needs PyTorch or JAX)", () => {
  it.each(stepProblems(2).map((problem) => [problem.name, problem] as const))(
    "train as ours: %s",
    async (_, problem) => {
      const own = await startOwn("onnxruntime", problem, 1);
      const others = await competitors(problem, { threads: 1, log: () => undefined, ...pythons });
      const { losses } = await own.run(4);
      await own.close();
      expect(losses.at(-1)).not.toBe(losses[0]);
      for (const other of others) {
        const theirs = await other.run(4);
        await other.close();
        losses.forEach((loss, step) => {
          expect(Math.abs(theirs.losses[step]! - loss) / Math.abs(loss)).toBeLessThan(1e-3);
        });
      }
    },
  );
});
