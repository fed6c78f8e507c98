import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { framePairs } from "#datasets/frame-pairs.ts";
import type { Executor } from "#engine/index.ts";
import { createQuantizerRunner, type Quantizer } from "./runner.ts";
import type { VideoData } from "./video-data.ts";
import { withEyes } from "./with-eyes.ts";

/** What all labels of a quantizer have in common. */
export function labelHead({ id, config: { model, offsetS } }: Quantizer) {
  const { codebookSize, codesPerStep } = model;
  return { quantizerHash: id, codebookSize, codesPerStep, offsetS };
}

/**
 * Names the latent action of every pair of frames, in the order of the clips.
 *
 * `episodes` numbers the clips of `data.frames`.
 */
export async function labelVideos(
  quantizer: Quantizer,
  data: VideoData,
  { executor, source, signal }: { executor: Executor; source: string; signal?: AbortSignal },
): Promise<LatentLabels> {
  const pairs = framePairs(data.frames.clips, quantizer.config);
  const encode = async (seeing: Quantizer) => {
    const runner = createQuantizerRunner(seeing, executor);
    return runner.encode(data.frames, pairs, signal).finally(() => runner.dispose());
  };
  return {
    ...labelHead(quantizer),
    source: { path: source, hash: data.hash },
    episodes: pairs.clip,
    first: pairs.first,
    second: pairs.second,
    codes: await withEyes(quantizer, executor, encode),
  };
}
