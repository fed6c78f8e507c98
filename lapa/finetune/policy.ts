/** @file A fine-tuned model as a `Policy`: one observation or many in, action chunks in raw units out. */
import type * as tf from "@tensorflow/tfjs";
import { type ActionTokenizer, binCount } from "#core/actions/bins.ts";
import type { ActionChunk, ActionSpace } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { BatchPolicy, PolicySpec } from "#core/contracts/policy.ts";
import { ShapeError } from "#core/errors.ts";
import { encodeText, type Vocabulary } from "#core/text/word-tokenizer.ts";
import { type Compiled, compile, type Executor } from "#engine/index.ts";
import type { BackboneConfig } from "#lapa/latent-vla/index.ts";
import { toModelRange } from "#lapa/quantizer/index.ts";
import type { ActionHeadConfig } from "./config.ts";
import { type ActionVlaParameters, actionLogits, readActions } from "./model.ts";

/** Everything that a policy is; a checkpoint holds just this. */
export type PolicyModel = {
  readonly policyId: string;
  readonly backbone: BackboneConfig;
  readonly head: ActionHeadConfig;
  readonly parameters: ActionVlaParameters;
  readonly vocabulary: Vocabulary;
  readonly tokenizer: ActionTokenizer;
  readonly space: ActionSpace;
  readonly camera: string;
  readonly rateHz: number;
};

/** Bin centres and which bins exist, f32[A, V] each. */
function binTable(tokenizer: ActionTokenizer): { centres: Float32Array; exists: Float32Array; bins: number } {
  const bins = binCount(tokenizer);
  const centres = new Float32Array(tokenizer.dimensions.length * bins);
  const exists = new Float32Array(centres.length);
  for (const [dimension, { centres: values }] of tokenizer.dimensions.entries()) {
    centres.set(values, dimension * bins);
    exists.fill(1, dimension * bins, dimension * bins + values.length);
  }
  return { centres, exists, bins };
}

type State = { model: ActionVlaParameters<tf.Tensor>; centres: tf.Tensor2D; exists: tf.Tensor2D };

function compileInference(model: PolicyModel, batch: number, executor: Executor): Promise<Compiled> {
  const { backbone, head, tokenizer } = model;
  const table = binTable(tokenizer);
  const shape = [tokenizer.dimensions.length, table.bins];
  const state = {
    model: model.parameters,
    centres: { shape, dtype: "float32", data: table.centres },
    exists: { shape, dtype: "float32", data: table.exists },
  } as const;
  return compile(
    (leaves, inputs) => {
      const { model: params, centres, exists } = leaves as unknown as State;
      const images = toModelRange(inputs.images as tf.Tensor4D);
      const logits = actionLogits(params, backbone, images, inputs.words as tf.Tensor2D);
      return { outputs: { actions: readActions(logits, centres, exists, head.decoding) } };
    },
    {
      name: `policy-${batch}`,
      state: state as never,
      inputs: {
        images: { shape: [batch, backbone.imageSize, backbone.imageSize, 3], dtype: "uint8" },
        words: { shape: [batch, backbone.textLength], dtype: "int32" },
      },
      executor,
    },
  );
}

function specOf(model: PolicyModel): PolicySpec {
  const { imageSize } = model.backbone;
  return {
    policyId: model.policyId,
    cameras: [{ name: model.camera, height: imageSize, width: imageSize }],
    stateSize: 0,
    space: model.space,
    chunkLength: model.head.chunkLength,
    rateHz: model.rateHz,
  };
}

/**
 * Makes a policy. Programs are compiled per batch size (1 and `batch`) at first use; larger calls are cut up.
 *
 * `infer` throws a ShapeError when the observation lacks the camera or its picture has another size.
 */
export function createPolicy(model: PolicyModel, executor: Executor, batch = 32): BatchPolicy {
  const spec = specOf(model);
  const { imageSize, textLength } = model.backbone;
  const programs = new Map<number, Promise<Compiled>>();
  const program = (size: number) => {
    const known = programs.get(size) ?? compileInference(model, size, executor);
    programs.set(size, known);
    return known;
  };

  const pixelsOf = ({ images }: Observation): Uint8Array => {
    const image = images[model.camera];
    if (image?.height === imageSize && image.width === imageSize) return image.data;
    const got = image === undefined ? Object.keys(images).join(", ") || "none" : `${image.height} x ${image.width}`;
    throw new ShapeError(
      `policy: needs camera "${model.camera}" as ${imageSize} x ${imageSize} pixels, got ${got}. Resize or rename it.`,
    );
  };

  const inferSome = async (observations: readonly Observation[], size: number): Promise<ActionChunk[]> => {
    const pixels = imageSize * imageSize * 3;
    const images = new Uint8Array(size * pixels);
    const words = new Int32Array(size * textLength);
    for (const [row, observation] of observations.entries()) {
      images.set(pixelsOf(observation), row * pixels);
      words.set(encodeText(model.vocabulary, observation.instruction, textLength), row * textLength);
    }
    const { actions } = await (await program(size)).run({ images, words });
    const width = spec.chunkLength * model.space.names.length;
    return observations.map(
      (observation, row): ActionChunk => ({
        actions: (actions!.data as Float32Array).slice(row * width, (row + 1) * width),
        length: spec.chunkLength,
        rateHz: model.rateHz,
        space: model.space,
        stampNs: observation.stampNs,
        policyId: model.policyId,
      }),
    );
  };

  const inferBatch = async (observations: readonly Observation[], signal?: AbortSignal): Promise<ActionChunk[]> => {
    const chunks: ActionChunk[] = [];
    for (let start = 0; start < observations.length; start += batch) {
      const part = observations.slice(start, start + batch);
      chunks.push(...(await inferSome(part, part.length === 1 ? 1 : batch)));
      signal?.throwIfAborted();
    }
    return chunks;
  };
  return {
    spec,
    inferBatch,
    infer: async (observation, signal) => (await inferBatch([observation], signal))[0]!,
    reset: () => undefined,
  };
}
