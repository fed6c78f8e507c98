/**
 * @file A policy drives the simulated arm through rosbridge: two processes, real sockets, real time. In every second
 * episode the link is cut in the middle for a second. The arm itself counts what it executed and how old that was.
 */
import type { Policy } from "#core/contracts/policy.ts";
import { RobotError } from "#core/errors.ts";
import { createResult, type Result } from "#core/results.ts";
import { type Proportion, wilson } from "#core/statistics/proportion.ts";
import { type BridgeSummary, bridgeRunConfig, type LoopStatus, runBridgeFrom } from "#robot-bridge/index.ts";
import { startArm } from "./arm-process.ts";
import { openCuttableLink } from "./cuttable-link.ts";

/** Commands after which the link is cut: the arm is under way. */
const sentBeforeCut = 40;
const cutMs = 1000;

export type BridgeBenchOptions = {
  readonly policy: Policy;
  readonly episodes: number;
  readonly seed: number;
  readonly split: string;
  readonly ttlMs: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly onProgress: (done: number) => void;
  readonly command: string;
};

type Episode = {
  readonly seed: number;
  readonly instruction: string;
  readonly isCut: boolean;
  readonly solved: boolean;
  /** "refused": the arm could not be armed, say because the machine was too busy for fresh joint states. */
  readonly ended: BridgeSummary["ended"] | "refused";
  readonly rearmed: number;
  readonly executed: number;
  readonly executedTooOld: number;
  readonly oldestMs: number;
  readonly holds: number;
};

async function playEpisode(seed: number, isCut: boolean, options: BridgeBenchOptions): Promise<Episode> {
  const arm = await startArm(seed, options.split);
  const link = await openCuttableLink(arm.url);
  const { signal, log } = options;
  let timer: NodeJS.Timeout | undefined;
  const onStatus = ({ summary }: LoopStatus) => {
    if (!isCut || timer !== undefined || summary.commands.sent < sentBeforeCut) return;
    link.cut();
    timer = setTimeout(() => link.restore(), cutMs);
  };
  try {
    const config = bridgeRunConfig.parse({
      ...{ robot: link.url, ttlMs: options.ttlMs, rearm: isCut ? "after-cut" : "never" },
      // A machine of two cores runs physics, pictures and the policy at once.
      ...{ maxStateAgeMs: 500, maxCameraAgeMs: 1000, durationS: 60 },
    });
    options.policy.reset();
    const summary = await runBridgeFrom(config, options.policy, { signal, log, onStatus }).catch((error) => {
      if (!(error instanceof RobotError)) throw error;
      log(error.message);
      return { ended: "refused" as const, instruction: "", rearmed: 0, task: null };
    });
    const commands = await arm.end();
    return {
      ...{ seed, isCut: timer !== undefined, instruction: summary.instruction, ended: summary.ended },
      ...{ solved: summary.task?.success === true, rearmed: summary.rearmed, holds: commands.holds },
      ...{ executed: commands.executed, executedTooOld: commands.executedTooOld, oldestMs: commands.oldestMs },
    };
  } finally {
    clearTimeout(timer);
    arm.kill();
    await link.close();
  }
}

const solvedOf = (episodes: readonly Episode[]): Proportion =>
  wilson(episodes.filter(({ solved }) => solved).length, episodes.length);

/** Plays the episodes one after another: they are measured in real time. */
export async function benchmarkBridge(options: BridgeBenchOptions): Promise<Result> {
  const episodes: Episode[] = [];
  for (let index = 0; index < options.episodes; index++) {
    options.signal.throwIfAborted();
    episodes.push(await playEpisode(options.seed + index, index % 2 === 1, options));
    options.onProgress(index + 1);
  }
  const [cut, whole] = [true, false].map((isCut) => episodes.filter((episode) => episode.isCut === isCut)) as [
    Episode[],
    Episode[],
  ];
  const sum = (value: (episode: Episode) => number) => episodes.reduce((total, episode) => total + value(episode), 0);
  return createResult({
    name: "bridge",
    claim:
      `Written before the run: a policy from the demo solves tasks of the push suite through rosbridge in real time; in every ` +
      `second episode the link is cut for ${cutMs} ms, and no command older than ${options.ttlMs} ms is executed then or ever.`,
    command: options.command,
    seeds: [options.seed],
    rows: episodes,
    summary: {
      policy: options.policy.spec.policyId,
      episodes: episodes.length,
      cuts: cut.length,
      solvedWhole: solvedOf(whole),
      solvedCut: solvedOf(cut),
      executed: sum(({ executed }) => executed),
      executedTooOld: sum(({ executedTooOld }) => executedTooOld),
      oldestMs: Math.max(...episodes.map(({ oldestMs }) => oldestMs)),
      rearmed: sum(({ rearmed }) => rearmed),
    },
  });
}
