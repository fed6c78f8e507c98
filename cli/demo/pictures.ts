import type { Image } from "#core/contracts/image.ts";
import { encodePng } from "#core/image/png.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import { drawReconstructions, drawSwapGrid, type Frames, type QuantizerRunner } from "#lapa/quantizer/index.ts";

/** A PNG as text for a page that needs no other file. */
export const dataUrl = (image: Image): string =>
  `data:image/png;base64,${Buffer.from(encodePng(image)).toString("base64")}`;

export type DemoPictures = {
  /** One strip of frames per clip, in time order. */
  readonly strips: readonly { readonly caption: string; readonly frames: readonly string[] }[];
  readonly reconstructions: readonly {
    readonly first: string;
    readonly second: string;
    readonly drawn: string;
    readonly codes: readonly number[];
  }[];
  readonly swap: {
    readonly first: readonly string[];
    readonly codes: readonly (readonly number[])[];
    readonly drawn: readonly (readonly string[])[];
  };
};

const stripLength = 8;

function strip(frames: Frames, clip: number): { caption: string; frames: string[] } {
  const { caption = "", frames: count } = frames.clips[clip]!;
  const { size } = frames;
  const pictures = Array.from({ length: stripLength }, (_, index) => {
    const data = new Uint8Array(size * size * 3);
    frames.read(clip, Math.round((index * (count - 1)) / (stripLength - 1)), data, 0);
    return dataUrl({ data, height: size, width: size });
  });
  return { caption, frames: pictures };
}

/** What the report shows of the videos and the codes; everything is of clips that training did not see. */
export async function drawPictures(
  runner: QuantizerRunner,
  frames: Frames,
  heldOut: FramePairs,
): Promise<DemoPictures> {
  const clips = [...new Set(heldOut.clip)];
  const spread = Array.from(
    { length: Math.min(4, clips.length) },
    (_, index) => clips[Math.floor((index * clips.length) / Math.min(4, clips.length))]!,
  );
  const reconstructions = await drawReconstructions(runner, frames, heldOut, 6);
  const swap = await drawSwapGrid(runner, frames, heldOut, { rows: 3, columns: 8 });
  return {
    strips: spread.map((clip) => strip(frames, clip)),
    reconstructions: reconstructions.map(({ first, second, drawn, codes }) => ({
      first: dataUrl(first),
      second: dataUrl(second),
      drawn: dataUrl(drawn),
      codes,
    })),
    swap: {
      first: swap.first.map(dataUrl),
      codes: swap.codes,
      drawn: swap.drawn.map((row) => row.map(dataUrl)),
    },
  };
}
