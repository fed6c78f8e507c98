/** @file The cells of the real-robot benchmark as one result, whole or not: what is missing is named. */
import { createResult, type Result } from "#core/results.ts";
import { createRng } from "#core/rng.ts";
import { mean, pairedBootstrap } from "#core/statistics/bootstrap.ts";
import { cellName, type RobotArm, type RobotCell, type RobotCellKey, robotArms } from "./real-robots.ts";

export const realRobotsClaim =
  "Written before the run: fine-tuned on 10, 20 or 50 episodes of a real robot, the policy that was pretrained on people's " +
  "videos without actions has a smaller action error on 15 held-out episodes than the same network from scratch, on both " +
  "robots, and the gain is largest with 10 episodes; pretraining on the robot's own videos without actions helps more than " +
  "people's. Error: mean distance to the recorded action over chunk and dimensions, in standard deviations of each. " +
  "Three seeds (weights and which episodes teach); intervals: 95 %, bootstrap over held-out episodes, seeds averaged.";

const number = (value: number) => Number(value.toFixed(4));

/** Per held-out episode the mean of a measure over the seeds. */
function byEpisode(cells: readonly RobotCell[], measure: "actionError" | "binAccuracy" | "constantError"): number[] {
  return cells[0]!.errors.map((_, place) => mean(cells.map(({ errors }) => errors[place]![measure])));
}

/** `arm` against scratch, over the seeds that both have. Negative: the arm is better. */
function against(cells: readonly RobotCell[], arm: RobotArm) {
  const of = (name: RobotArm) => cells.filter((cell) => cell.arm === name);
  const seeds = of(arm)
    .map(({ seed }) => seed)
    .filter((seed) => of("scratch").some((cell) => cell.seed === seed));
  if (seeds.length === 0) return undefined;
  const shared = (name: RobotArm) =>
    byEpisode(
      of(name).filter(({ seed }) => seeds.includes(seed)),
      "actionError",
    );
  const { difference, low, high } = pairedBootstrap(shared(arm), shared("scratch"), createRng(`real-robots/${arm}`));
  return { difference: number(difference), low: number(low), high: number(high), seeds: seeds.length };
}

export function realRobotsResult(
  cells: readonly RobotCell[],
  missing: readonly RobotCellKey[],
  { command, seeds, steps }: { readonly command: string; readonly seeds: readonly number[]; readonly steps: object },
): Result {
  const groups = new Map<string, RobotCell[]>();
  for (const cell of cells) {
    const name = `${cell.robot}-${cell.episodes}`;
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  const summary: Record<string, unknown> = {};
  for (const [name, group] of groups) {
    const arms = robotArms.flatMap((arm) => {
      const own = group.filter((cell) => cell.arm === arm);
      if (own.length === 0) return [];
      const measured = {
        actionError: number(mean(byEpisode(own, "actionError"))),
        binAccuracy: number(mean(byEpisode(own, "binAccuracy"))),
        seeds: own.length,
      };
      return [[arm, arm === "scratch" ? measured : { ...measured, minusScratch: against(group, arm) ?? null }]];
    });
    summary[name] = {
      ...Object.fromEntries(arms),
      alwaysTheMiddle: number(mean(byEpisode(group, "constantError"))),
      heldOutEpisodes: group[0]!.errors.length,
    };
  }
  return createResult({
    name: "lapa-real-robots",
    claim: realRobotsClaim,
    command,
    seeds: [...seeds],
    rows: cells.map(({ errors, minutes, ...key }) => ({
      ...key,
      actionError: number(mean(errors.map(({ actionError }) => actionError))),
      binAccuracy: number(mean(errors.map(({ binAccuracy }) => binAccuracy))),
      actionErrorByEpisode: Object.fromEntries(
        errors.map(({ episode, actionError }) => [episode, number(actionError)]),
      ),
      minutes: number(minutes),
    })),
    summary: { ...summary, steps, missing: missing.map(cellName) },
  });
}
