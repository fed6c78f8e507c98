/** @file One cell: fine-tunes a backbone by each recipe, takes the best on validation tasks, and plays it. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BatchPolicy, LoadedPolicy } from "#core/contracts/policy.ts";
import { codeCommit } from "#core/provenance.ts";
import { writeWhole } from "#core/write-whole.ts";
import {
  createPlannerPolicy,
  createPolicy,
  demonstrationFacts,
  finetune,
  finetuneConfig,
  finetunePresets,
  openInverseModel,
  openPolicyModel,
  openVideoPlanner,
} from "#lapa/finetune/index.ts";
import { latentVlaPresets, openBackbone } from "#lapa/latent-vla/index.ts";
import { drawInstances, evaluatePolicy, perturb } from "#world/index.ts";
import { benchSuites, type Condition, conditions } from "./design.ts";
import {
  type Cell,
  inverseModelOf,
  plannerOf,
  pretrained,
  recordedOf,
  runSettings,
  type SeedRun,
  withInputs,
} from "./pretrain.ts";

/** What is kept of a cell. `solved`: one digit per task, the same tasks for all cells of a seed. */
export type CellRow = {
  /** How much was trained and played; cells of different scales are never compared. */
  readonly scale: string;
  readonly setting: string;
  readonly arm: string;
  readonly labelled: number;
  readonly seed: number;
  readonly recipe: string;
  /** Success on the validation tasks, by recipe. */
  readonly validation: Readonly<Record<string, number>>;
  readonly solved: Readonly<Record<Condition, string>>;
  /** Kind of each task, by its place in `kinds`. */
  readonly tasks: string;
  readonly kinds: readonly string[];
  readonly seconds: number;
  readonly commit: string;
};

type Kept = { readonly key: string; readonly row: CellRow };

/** Seeds of the tasks; no two of these draws share one with each other or with training. */
const drawSeeds = { validation: 5000, seen: 1000, otherLooks: 1000 } as const;

async function play(run: SeedRun, policy: BatchPolicy, where: keyof typeof drawSeeds, count: number) {
  const { suite, robot } = benchSuites[run.suite];
  const played = where === "otherLooks" ? perturb(suite, "looks") : suite;
  const instances = drawInstances({
    ...{ suite: played, embodiment: robot, split: "seen", seed: drawSeeds[where] + run.seed, count },
  });
  const results = await evaluatePolicy({ instances, policy, signal: run.signal });
  return results.map(({ success, unstable, task }) => ({ success: success && !unstable, task }));
}

const share = (results: readonly { readonly success: boolean }[]) =>
  results.filter(({ success }) => success).length / results.length;

const digits = (results: readonly { readonly success: boolean }[]) =>
  results.map(({ success }) => (success ? "1" : "0")).join("");

/** UniPi has nothing to fine-tune: its two models are joined. */
async function joinPlanner(run: SeedRun, cell: Cell): Promise<LoadedPolicy> {
  const planner = await openVideoPlanner(await plannerOf(run, cell));
  const inverse = await openInverseModel(await inverseModelOf(run, cell));
  const recorded = await recordedOf(run, cell.setting, cell.labelled);
  const facts = await withInputs(run, { recorded, labelled: cell.labelled, holdOut: 0 }, async (data) => {
    const actions = data.recorded.map((clip) => clip!.actions);
    const all = Float32Array.from(actions.flatMap((some) => [...some]));
    return demonstrationFacts(data, finetuneConfig.parse({}), all);
  });
  return createPlannerPolicy({ ...facts, planner, inverse, executor: run.executor });
}

/** Fine-tunes by every recipe. @returns folder and validation success of each */
async function tryRecipes(run: SeedRun, cell: Cell, backbone: string | undefined) {
  const { scale, seed } = run;
  const recorded = await recordedOf(run, cell.setting, cell.labelled);
  const pretrainedOn = backbone === undefined ? undefined : await openBackbone(backbone);
  const tried = new Map<string, { readonly policy: LoadedPolicy; readonly validation: number }>();
  // A fresh backbone has nothing to protect: all recipes are the same to it.
  for (const recipe of cell.arm === "scratch" ? (["full"] as const) : scale.recipes) {
    const name = `policy-${cell.setting}-${cell.arm}-${cell.labelled}-${recipe}`;
    const { videos, finetuneSteps, pictureSize } = scale;
    const key = { videos, finetuneSteps, pictureSize, seed, parent: pretrainedOn?.id };
    const path = await run.kept.folder(name, key, async (folder) => {
      const config = finetuneConfig.parse({
        ...{ ...finetunePresets.tiny, model: latentVlaPresets.tiny, recipe, steps: scale.finetuneSteps, seed },
        model: {},
      });
      await withInputs(run, { recorded, labelled: cell.labelled, holdOut: 0 }, (data) =>
        finetune(data, config, runSettings(run, folder), { pretrained: pretrainedOn }),
      );
      run.signal.throwIfAborted();
    });
    const policy = createPolicy(await openPolicyModel(path), run.executor);
    tried.set(recipe, { policy, validation: share(await play(run, policy, "validation", scale.validations)) });
  }
  return tried;
}

/** Scratch and ActionVLA see no hands: across embodiments they are what they are in-domain. */
const isShared = ({ setting, arm }: Cell) =>
  setting === "cross-embodiment" && (arm === "scratch" || arm === "actionVla");

/** Measures one cell, or reads what an earlier run measured. */
export async function measureCell(run: SeedRun, root: string, cell: Cell): Promise<CellRow> {
  if (isShared(cell)) return { ...(await measureCell(run, root, { ...cell, setting: "in-domain" })), ...cell };
  const kept = join(root, `cell-${cell.setting}-${cell.arm}-${cell.labelled}.json`);
  // Another scale or suite under the same name is another measurement.
  const key = createHash("sha256")
    .update(JSON.stringify([run.scale, benchSuites[run.suite]]))
    .digest("hex")
    .slice(0, 16);
  const known = existsSync(kept) ? (JSON.parse(readFileSync(kept, "utf8")) as Kept) : undefined;
  if (known?.key === key) return known.row;
  const startedMs = Date.now();
  const tried =
    cell.arm === "unipi"
      ? new Map([["none", { policy: await joinPlanner(run, cell), validation: Number.NaN }]])
      : await tryRecipes(run, cell, await pretrained(run, cell));
  const ranked = [...tried].sort(([, first], [, second]) => second.validation - first.validation);
  const [recipe, { policy }] = ranked[0]!;
  const results = new Map<Condition, Awaited<ReturnType<typeof play>>>();
  for (const condition of conditions) results.set(condition, await play(run, policy, condition, run.scale.rollouts));
  for (const one of tried.values()) await one.policy.dispose();
  const seen = results.get("seen")!;
  const kinds = [...new Set(seen.map(({ task }) => task))].sort();
  const row: CellRow = {
    ...{ scale: run.scaleName, ...cell, seed: run.seed, recipe },
    validation: Object.fromEntries(
      [...tried]
        .filter(([, { validation }]) => !Number.isNaN(validation))
        .map(([name, { validation }]) => [name, validation]),
    ),
    solved: { seen: digits(seen), otherLooks: digits(results.get("otherLooks")!) },
    ...{ tasks: seen.map(({ task }) => kinds.indexOf(task)).join(""), kinds },
    ...{ seconds: Math.round((Date.now() - startedMs) / 1000), commit: codeCommit() },
  };
  writeWhole(kept, JSON.stringify({ key, row } satisfies Kept));
  const success = conditions.map((condition) => `${condition} ${(100 * share(results.get(condition)!)).toFixed(1)} %`);
  run.log(
    `${cell.setting}, ${cell.arm}, ${cell.labelled} labelled, seed ${run.seed}: ${success.join(", ")} (${recipe})`,
  );
  return row;
}
