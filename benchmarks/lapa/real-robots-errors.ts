/** @file How far a policy's actions are from a person's, episode by episode, open loop. */
import { encodeActions } from "#core/actions/bins.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Executor } from "#engine/index.ts";
import { createPolicy, type PolicyModel } from "#lapa/finetune/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";

export type EpisodeErrors = {
  readonly episode: number;
  /** Mean distance over chunk and learned dimensions, as a share of half the span (1st to 99th percentile) of training. */
  readonly actionError: number;
  /** Share of the numbers that fall into the bin of the recorded one. */
  readonly binAccuracy: number;
  /** `actionError` of answering the training set's middle whatever is seen: bin medians. */
  readonly constantError: number;
};

/** Asks the policy at every `frameStride`-th frame of the episodes. */
export async function measureEpisodes(
  model: PolicyModel,
  data: VideoData,
  episodes: readonly number[],
  { executor, frameStride }: { readonly executor: Executor; readonly frameStride: number },
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
    results.push({
      episode,
      ...compare(
        model,
        recorded,
        asked,
        chunks.map(({ actions }) => actions),
      ),
    });
  }
  return results;
}

/** @param recorded f32[T, A] @param said per asked frame f32[L, A] */
export function compare(
  { tokenizer, normalisation, head }: Pick<PolicyModel, "tokenizer" | "normalisation" | "head">,
  recorded: Float32Array,
  asked: readonly number[],
  said: readonly Float32Array[],
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
      const scale = normalisation.scale[at % size]!;
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
