/** @file Latent labels as LAPA's own training reads them (laq/inference_sthv2.py): one JSON object a line. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { ShapeError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";

export type LapaSource = {
  /** Name of the episode, for the id of a line. */
  name(episode: number): string;
  instruction(episode: number): string;
  /** Path of the pair's first picture, as LAPA will find it. */
  image(episode: number, frame: number): string;
  /** The picture's 256 token ids of LWM's VQGAN; LAPA needs them, and adds them itself where they are left out. */
  vision?(episode: number, frame: number): readonly number[];
};

/** Fields in brackets carry no loss in LAPA's trainer. */
const fields = "[instruction],[vision],delta";

function* lines({ episodes, first, codes, codesPerStep }: LatentLabels, source: LapaSource): Generator<string> {
  for (let pair = 0; pair < episodes.length; pair++) {
    const [episode, frame] = [episodes[pair]!, first[pair]!];
    const vision = source.vision?.(episode, frame);
    const line = {
      id: `${source.name(episode)}_${frame}`,
      image: source.image(episode, frame),
      instruction: source.instruction(episode),
      ...(vision ? { vision: vision.map(String) } : {}),
      delta: Array.from(codes.subarray(pair * codesPerStep, (pair + 1) * codesPerStep), String),
      fields,
    };
    yield `${JSON.stringify(line)}\n`;
  }
}

/**
 * Writes one line for every labelled pair, whole or not at all.
 *
 * @throws ShapeError when the labels hold no pair; UserError when the place cannot be written
 */
export async function writeLapaJsonl(path: string, labels: LatentLabels, source: LapaSource): Promise<void> {
  if (labels.episodes.length === 0) throw new ShapeError(`${path}: labels must hold at least one pair, got none.`);
  const temporary = `${path}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(lines(labels, source)), createWriteStream(temporary));
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw writeFailure(path, cause);
  }
}
