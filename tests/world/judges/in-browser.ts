/** @file What a browser is asked by browser.slow.test.ts: replay a rollout, and draw a frame of it. */
import { sha256 } from "#core/sha256.ts";
import { createRasterizer } from "#world/raster/index.ts";
import { replayRollout } from "#world/replay.ts";
import { decodeRollout } from "#world/rollout.ts";
import { type DrawnFrame, drawFrame } from "./draw-frame.ts";

export type BrowserAnswer = {
  readonly isExact: boolean;
  readonly firstDifference: number | null;
  readonly frames: readonly DrawnFrame[];
};

Object.assign(globalThis, {
  async judge(path: string): Promise<BrowserAnswer> {
    const log = decodeRollout(new Uint8Array(await (await fetch(path)).arrayBuffer()));
    const { isExact, firstDifference } = await replayRollout(log);
    const frames = [0, log.frames - 1].map((frame) => drawFrame(createRasterizer, log, frame, sha256));
    return { isExact, firstDifference, frames };
  },
});
