import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { UserError } from "#core/errors.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";

/** Which latent actions a model knows. */
export type LatentOrigin = { readonly quantizerHash: string; readonly offsetS: number };

/**
 * Checks that labels belong to the videos and, where given, to the latent actions that a model was trained on.
 *
 * @throws UserError when they are of other videos, of another quantizer or of another offset, or do not fit the frames
 */
export function checkLabels(labels: LatentLabels, data: VideoData, expected?: LatentOrigin): void {
  const { source, codes, codebookSize, codesPerStep, episodes, first, second } = labels;
  if (source.hash !== data.hash) {
    throw new UserError(
      `labels: were made from other videos (${source.path}, ${source.hash}), got videos ${data.hash}. Label these videos first.`,
    );
  }
  if (expected !== undefined && labels.quantizerHash !== expected.quantizerHash) {
    throw new UserError(
      `labels: must be of quantizer ${expected.quantizerHash}, which the model was trained with, got ${labels.quantizerHash}. Label the videos with that quantizer.`,
    );
  }
  if (expected !== undefined && Math.abs(labels.offsetS - expected.offsetS) > 1e-6) {
    throw new UserError(
      `labels: must look ${expected.offsetS} s ahead, as those the model was trained with, got ${labels.offsetS} s. Label the videos again.`,
    );
  }
  const isBad = (pair: number) => {
    const frames = data.frames.clips[episodes[pair]!]?.frames ?? 0;
    return first[pair]! < 0 || second[pair]! < 0 || Math.max(first[pair]!, second[pair]!) >= frames;
  };
  const bad = Array.from(episodes.keys()).find(isBad);
  if (bad !== undefined || codes.length !== episodes.length * codesPerStep) {
    throw new UserError(
      bad === undefined
        ? `labels: must hold ${codesPerStep} codes per pair, got ${codes.length} for ${episodes.length} pairs. Label the videos again.`
        : `labels: pair ${bad} (clip ${episodes[bad]}, frames ${first[bad]} and ${second[bad]}) lies outside of the videos. Label them again.`,
    );
  }
  const wild = codes.find((code) => code < 0 || code >= codebookSize);
  if (wild !== undefined) {
    throw new UserError(`labels: codes must lie in [0, ${codebookSize}), got ${wild}. Label the videos again.`);
  }
}
