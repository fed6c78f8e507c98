/** @file UniPi as a policy: draws the frame that should come next, and does what the inverse model says leads there. */
import type * as tf from "@tensorflow/tfjs";
import type { ActionChunk, ActionSpace } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { LoadedPolicy } from "#core/contracts/policy.ts";
import { ConfigError, ShapeError } from "#core/errors.ts";
import { encodeText } from "#core/text/word-tokenizer.ts";
import { type Compiled, compile, type Executor, tf as ops } from "#engine/index.ts";
import { type InverseNetwork, readAction, toModelRange } from "#lapa/quantizer/index.ts";
import type { PolicyStatistics } from "../statistics.ts";
import type { InverseModel } from "./inverse-dynamics.ts";
import { drawNextFrame, type VideoPlanner, type VideoPlannerNetwork } from "./video-planner.ts";

export type PlannerPolicyOptions = Pick<PolicyStatistics, "space" | "camera" | "rateHz"> & {
  readonly planner: VideoPlanner;
  readonly inverse: InverseModel;
  readonly executor: Executor;
  /** Observations in one call of the program; default 32. */
  readonly batch?: number;
};

/** What one of `steps` equal commands is, as a share of the action over all of them. */
function perStep({ kind }: ActionSpace, steps: number, rateHz: number): number {
  if (kind === "planar-delta" || kind === "end-effector-delta") return 1 / steps;
  // The integral of a velocity is what was learned.
  if (kind === "joint-velocity") return rateHz / steps;
  throw new ConfigError(
    `planner policy: actions must be deltas or velocities, got ${kind}. A drawn frame says how far to go, not where to.`,
  );
}

type State = { readonly planner: VideoPlannerNetwork<tf.Tensor>; readonly inverse: InverseNetwork<tf.Tensor> };

/**
 * Joins a video planner and an inverse model; each chunk lasts until the drawn frame, in equal steps.
 *
 * @throws ConfigError when the two look ahead differently or see other picture sizes, or actions are places
 */
export function createPlannerPolicy(options: PlannerPolicyOptions): LoadedPolicy {
  const { planner, inverse, space, camera, rateHz, executor, batch = 32 } = options;
  const { imageSize: size, codesPerStep: textLength } = planner.config.model;
  const { offsetS } = planner.config;
  if (inverse.config.offsetS !== offsetS || inverse.config.model.imageSize !== size) {
    throw new ConfigError(
      `planner policy: both models must look ${offsetS} s ahead at ${size} pixels, got an inverse model of ${inverse.config.offsetS} s at ${inverse.config.model.imageSize} pixels. Train it likewise.`,
    );
  }
  const chunkLength = Math.max(1, Math.round(offsetS * rateHz));
  const share = perStep(space, chunkLength, rateHz);
  const { mean, std } = inverse.scale;
  const width = mean.length;
  const pixels = size * size * 3;
  let program: Promise<Compiled> | undefined;
  const compiled = () =>
    compile(
      (leaves, { image, words }) => {
        const state = leaves as unknown as State;
        const first = toModelRange(image as tf.Tensor4D);
        const drawn = drawNextFrame(state.planner, planner.config, first, words as tf.Tensor2D);
        const pair = ops.stack([first, ops.clipByValue(drawn, -1, 1)], 1) as tf.Tensor5D; // [B, 2, H, W, 3]
        return { outputs: { action: readAction(state.inverse, inverse.config.model, pair), drawn } };
      },
      {
        name: "planner-policy",
        state: { planner: planner.network, inverse: inverse.network } as never,
        inputs: {
          image: { shape: [batch, size, size, 3], dtype: "uint8" },
          words: { shape: [batch, textLength], dtype: "int32" },
        },
        executor,
      },
    );
  const policyId = `${planner.id}+${inverse.id}`;

  const inferSome = async (observations: readonly Observation[]): Promise<ActionChunk[]> => {
    const image = new Uint8Array(batch * pixels);
    const words = new Int32Array(batch * textLength);
    for (const [row, { images, instruction }] of observations.entries()) {
      const picture = images[camera];
      if (picture?.height !== size || picture.width !== size) {
        const got = picture === undefined ? "none" : `${picture.height} x ${picture.width}`;
        throw new ShapeError(`policy: needs camera "${camera}" as ${size} x ${size} pixels, got ${got}. Resize it.`);
      }
      image.set(picture.data, row * pixels);
      words.set(encodeText(planner.vocabulary, instruction, textLength), row * textLength);
    }
    program ??= compiled();
    const { action } = await (await program).run({ image, words });
    const guessed = action!.data as Float32Array;
    return observations.map(({ stampNs }, row) => {
      const step = mean.map((middle, at) => (middle + std[at]! * guessed[row * width + at]!) * share);
      const actions = Float32Array.from({ length: chunkLength * width }, (_, at) => step[at % width]!);
      return { actions, length: chunkLength, rateHz, space, stampNs, policyId };
    });
  };
  const inferBatch = async (observations: readonly Observation[], signal?: AbortSignal): Promise<ActionChunk[]> => {
    const chunks: ActionChunk[] = [];
    for (let start = 0; start < observations.length; start += batch) {
      chunks.push(...(await inferSome(observations.slice(start, start + batch))));
      signal?.throwIfAborted();
    }
    return chunks;
  };
  return {
    spec: {
      policyId,
      cameras: [{ name: camera, height: size, width: size }],
      stateSize: 0,
      space,
      chunkLength,
      rateHz,
    },
    inferBatch,
    infer: async (observation, signal) => (await inferBatch([observation], signal))[0]!,
    reset: () => undefined,
    async dispose() {
      await (await program)?.dispose();
      program = undefined;
    },
  };
}
