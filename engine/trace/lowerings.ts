/** @file The table of TensorFlow.js kernels that the tracer understands. */
import { allMeanLowering } from "./all-mean.ts";
import { barrierLowering } from "./barrier.ts";
import { convolutions } from "./convolutions.ts";
import { einsum } from "./einsum.ts";
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import type { Lowering } from "./lowering.ts";
import { reductions } from "./reductions.ts";
import { resizing } from "./resizing.ts";
import { shaping } from "./shaping.ts";

export const lowerings: ReadonlyMap<string, Lowering> = new Map(
  Object.entries({
    ...elementwise,
    ...reductions,
    ...shaping,
    ...indexing,
    ...convolutions,
    ...resizing,
    ...allMeanLowering,
    ...barrierLowering,
    Einsum: einsum,
  }),
);
