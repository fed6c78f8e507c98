import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { framePairs } from "#datasets/frame-pairs.ts";
import type { Executor } from "#engine/index.ts";
import { createQuantizerRunner, type Quantizer } from "./runner.ts";
import type { VideoData } from "./video-data.ts";
import { withEyes } from "./with-eyes.ts";

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
  const { model, offsetS } = quantizer.config;
  const pairs = framePairs(data.frames.clips, { offsetS });
  const encode = async (seeing: Quantizer) => {
    const runner = createQuantizerRunner(seeing, executor);
    return runner.encode(data.frames, pairs, signal).finally(() => runner.dispose());
  };
  return {
    quantizerHash: quantizer.id,
    codebookSize: model.codebookSize,
    codesPerStep: model.codesPerStep,
    offsetS,
    source: { path: source, hash: data.hash },
    episodes: pairs.clip,
    first: pairs.first,
    second: pairs.second,
    codes: await withEyes(quantizer, executor, encode),
  };
}
