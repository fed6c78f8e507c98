/** @file How far a policy's actions are from a person's, episode by episode, open loop. */
import { encodeActions } from "#core/actions/bins.ts";
import type { Observation } from "#core/contracts/observation.ts";
import { standardDeviation } from "#core/statistics/bootstrap.ts";
import type { Executor } from "#engine/index.ts";
import { createPolicy, type PolicyModel } from "#lapa/finetune/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";

export type Answers = {
  readonly asked: readonly number[];
  readonly said: readonly Float32Array[];
  readonly spread: readonly number[];
};

export type EpisodeErrors = {
  readonly episode: number;
  /** Mean distance over chunk and dimensions, each in standard deviations of that dimension over the teaching episodes. */
  readonly actionError: number;
  /** Share of the numbers that fall into the bin of the recorded one. */
  readonly binAccuracy: number;
  /** `actionError` of answering the training set's median whatever is seen. */
  readonly constantError: number;
};

/**
 * Standard deviation of every dimension over episodes, 0 where it never changes. Percentiles would not do: a joint that
 * moves in one frame of two hundred has none.
 */
export function spreadOf(data: VideoData, episodes: readonly number[]): number[] {
  const rows = episodes.map((clip) => data.recorded[clip]!.actions);
  const size = data.recorded[episodes[0]!]!.actions.length / data.frames.clips[episodes[0]!]!.frames;
  return Array.from({ length: size }, (_, dimension) => {
    const values = rows.flatMap((actions) => [...actions.filter((_, at) => at % size === dimension)]);
    const deviation = standardDeviation(values);
    return deviation > 1e-6 ? deviation : 0;
  });
}

/** Asks the policy at every `frameStride`-th frame of the episodes. */
export async function measureEpisodes(
  model: PolicyModel,
  data: VideoData,
  episodes: readonly number[],
  {
    executor,
    frameStride,
    spread,
  }: { readonly executor: Executor; readonly frameStride: number; readonly spread: readonly number[] },
): Promise<EpisodeErrors[]> {
  const policy = createPolicy(model, executor, 64);
  const { size } = data.frames;
  const results: EpisodeErrors[] = [];
  for (const clip of episodes) {
    const { frames, caption = "" } = data.frames.clips[clip]!;
    const asked = Array.from({ length: Math.ceil(frames / frameStride) }, (_, index) => index * frameStride);
    const observations = asked.map((frame): Observation => {
      const pixels = new Uint8Array(size * size * 3);
      data.frames.read(clip, frame, pixels, 0);
      const image = { data: pixels, height: size, width: size };
      return { images: { [model.camera]: image }, instruction: caption, stampNs: BigInt(frame) };
    });
    const chunks = await policy.inferBatch(observations);
    const { actions: recorded, episode } = data.recorded[clip]!;
    const said = chunks.map(({ actions }) => actions);
    results.push({ episode, ...compare(model, recorded, { asked, said, spread }) });
  }
  await policy.dispose();
  return results;
}

/** @param recorded f32[T, A] @param answers per asked frame f32[L, A]; spread per dimension */
export function compare(
  { tokenizer, head }: Pick<PolicyModel, "tokenizer" | "head">,
  recorded: Float32Array,
  { asked, said, spread }: Answers,
): Omit<EpisodeErrors, "episode"> {
  const size = tokenizer.dimensions.length;
  const length = recorded.length / size;
  // Bins hold equally many actions: the middle bin's mean is the median.
  const middle = tokenizer.dimensions.map(({ centres }) => centres[centres.length >> 1]!);
  const bins = encodeActions(tokenizer, recorded);
  const total = { error: 0, constant: 0, hits: 0, count: 0 };
  for (const [row, frame] of asked.entries()) {
    const known = Math.min(head.chunkLength, length - frame);
    const saidBins = encodeActions(tokenizer, said[row]!);
    for (let at = 0; at < known * size; at++) {
      const scale = spread[at % size]!;
      if (scale === 0) continue;
      const truth = recorded[frame * size + at]!;
      total.error += Math.abs(said[row]![at]! - truth) / scale;
      total.constant += Math.abs(middle[at % size]! - truth) / scale;
      total.hits += saidBins[at] === bins[frame * size + at] ? 1 : 0;
      total.count++;
    }
  }
  const share = (sum: number) => sum / Math.max(1, total.count);
  return { actionError: share(total.error), binAccuracy: share(total.hits), constantError: share(total.constant) };
}
