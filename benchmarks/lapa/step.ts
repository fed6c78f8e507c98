/** @file Speed of LAPA's models: train steps against PyTorch and JAX, labels, actions with and without cache, memory. */
import { fileURLToPath } from "node:url";
import { createResult, type Result } from "#core/results.ts";
import { createExecutor, type EngineKind } from "#engine/index.ts";
import { type Contestant, findPython, jaxEnvironment, startExternal, startOwn } from "../engine/contestants.ts";
import { checkLosses, ratio, rowsOf, runRounds } from "../engine/rounds.ts";
import { measureActions, measureLabels } from "./step-actions.ts";
import { type StepProblem, stepProblems, writeStepProblem } from "./step-problems.ts";

export const lapaStepParts = [
  "quantizer tiny",
  "latent-vla tiny",
  "latent-vla small",
  "finetune tiny",
  "labels",
  "actions",
] as const;
export type LapaStepPart = (typeof lapaStepParts)[number];

export type LapaStepBenchmark = {
  readonly rounds: number;
  readonly secondsPerLap: number;
  readonly threads: number;
  readonly torchPython: string;
  readonly jaxPython: string;
  readonly parts: readonly LapaStepPart[];
  readonly calls: number;
  /** A result whose other parts are kept: the benchmark may run in pieces. */
  readonly earlier?: Result | undefined;
  readonly command: string;
  readonly log: (line: string) => void;
};

const beside = (file: string) => fileURLToPath(new URL(`./${file}`, import.meta.url));

function prepareWith(problem: StepProblem): (folder: string) => Promise<void> {
  return async (folder) => {
    const executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
    try {
      await writeStepProblem(folder, problem, executor);
    } finally {
      await executor.dispose();
    }
  };
}

export async function competitors(
  problem: StepProblem,
  options: Pick<LapaStepBenchmark, "threads" | "log" | "torchPython" | "jaxPython">,
): Promise<Contestant[]> {
  const { threads, log } = options;
  const prepare = prepareWith(problem);
  const found: Contestant[] = [];
  const torch = findPython("torch", options.torchPython);
  if (torch === undefined) log("PyTorch is not there: pip install torch, or apt-get install python3-torch.");
  else {
    const words = (folder: string) => [torch, beside("step_torch.py"), folder, String(threads)];
    found.push(await startExternal({ name: "torch", words, prepare }));
  }
  const jax = findPython("jax", options.jaxPython);
  if (jax === undefined) log("JAX is not there: pip install jax (Python 3.11 or newer), then --jaxPython.");
  else {
    const words = (folder: string) => [jax, beside("step_jax.py"), folder];
    found.push(await startExternal({ name: "jax", words, environment: jaxEnvironment(threads, true), prepare }));
  }
  return found;
}

async function autoKind(): Promise<EngineKind> {
  const executor = await createExecutor({ kind: "auto" });
  await executor.dispose();
  return executor.kind;
}

export async function benchmarkLapaStep(options: LapaStepBenchmark): Promise<Result> {
  const { threads, log, calls, parts, earlier } = options;
  const kind = await autoKind();
  const kinds: EngineKind[] = kind === "onnxruntime" ? [kind] : [kind, "onnxruntime"];
  const isNew = (part: unknown) => (parts as readonly unknown[]).includes(part);
  const rows = (earlier?.rows ?? []).filter((row) => !isNew(row.part)) as Record<string, unknown>[];
  const summary: Record<string, unknown> = { ...earlier?.summary, engine: kind };
  for (const problem of stepProblems().filter(({ name }) => isNew(name))) {
    const own: Contestant[] = [];
    for (const each of kinds) own.push(await startOwn(each, problem, threads));
    const rounds = await runRounds(problem.name, [...own, ...(await competitors(problem, options))], options);
    checkLosses(problem.name, rounds);
    const found = rowsOf(problem.name, rounds);
    rows.push(
      ...found.map((row) => ({
        part: problem.name,
        ...row,
        samplesPerSecond: (1000 * problem.samples) / row.medianMs,
      })),
    );
    for (const other of ["torch", "jax"]) {
      const by = ratio(rounds, kind, (name) => name.startsWith(other));
      if (by !== undefined) summary[`${problem.name} vs ${other}`] = by;
    }
    summary[`${problem.name} ms`] = found[0]!.medianMs;
  }
  const measured = { kind, threads, calls, log };
  if (parts.includes("labels")) {
    const labels = await measureLabels(measured, 2048);
    rows.push(...labels.map((row) => ({ part: "labels", ...row })));
    summary.labelsPerSecond = labels[0]!.labelsPerSecond;
  }
  if (parts.includes("actions")) {
    const actions = await measureActions(measured);
    rows.push(...actions.map((row: Record<string, unknown>) => ({ part: "actions", ...row })));
    for (const row of actions) {
      summary[`action ${String(row.preset)}, ${String(row.decoding)}: p50 ms`] = row.p50Ms as number;
      summary[`action ${String(row.preset)}, ${String(row.decoding)}: p99 ms`] = row.p99Ms as number;
    }
  }
  return createResult({
    name: "lapa-step",
    claim:
      "On the same cores, weights, batches and losses, one train step of each preset takes at most 1.15 times PyTorch's " +
      "time, and an action spoken one number after another takes less time with the key-value cache than without it.",
    command: options.command,
    seeds: [0],
    rows,
    summary,
  });
}
