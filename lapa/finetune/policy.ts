/** @file A fine-tuned model as a `Policy`: one observation or many in, action chunks in raw units out. */
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { LoadedPolicy, PolicySpec } from "#core/contracts/policy.ts";
import { ShapeError, UserError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import { type Compiled, compile, type Executor, type HostArray, type HostInput } from "#engine/index.ts";
import { openPerception, type Perception, perceptionSpecs } from "#lapa/latent-vla/index.ts";
import { inferenceProgram } from "./inference.ts";
import { createLatentMemory } from "./latent-memory.ts";
import type { PolicyModel } from "./policy-model.ts";
import { temporalEnsemble } from "./temporal-ensemble.ts";

export type { PolicyModel } from "./policy-model.ts";

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

function compileInference(model: PolicyModel, batch: number, executor: Executor): Promise<Compiled> {
  const { infer, ...options } = inferenceProgram(model, batch);
  return compile(infer, { ...options, executor });
}

function pixelsOf({ images }: Observation, { camera, backbone: { imageSize } }: PolicyModel): Uint8Array {
  const image = images[camera];
  if (image?.height === imageSize && image.width === imageSize) return image.data;
  const got = image === undefined ? Object.keys(images).join(", ") || "none" : `${image.height} x ${image.width}`;
  throw new ShapeError(
    `policy: needs camera "${camera}" as ${imageSize} x ${imageSize} pixels, got ${got}. Resize or rename it.`,
  );
}

/** What observations look like to the compiled function; rows without one stay empty. */
async function senses(model: PolicyModel, perception: Perception, observations: readonly Observation[], rows: number) {
  const { words: spec } = perceptionSpecs(model.backbone, rows);
  const size = model.backbone.imageSize ** 2 * 3;
  const width = spec!.shape.slice(1).reduce((product, count) => product * count, 1);
  const pixels = new Uint8Array(rows * size);
  const words = spec!.dtype === "float32" ? new Float32Array(rows * width) : new Int32Array(rows * width);
  for (const [row, observation] of observations.entries()) {
    pixels.set(pixelsOf(observation, model), row * size);
    words.set(await perception.words(observation.instruction), row * width);
  }
  return { images: await perception.pictures(pixels), words };
}

/**
 * Makes a policy. Programs are compiled per batch size (1 and `batch`) at first use; larger calls are cut up.
 *
 * A policy that hears the latent action before, or averages over chunks, remembers one episode: it is asked one observation at a time. A flow policy
 * draws its noise from a stream that begins anew at `reset`.
 *
 * `infer` throws a ShapeError when the observation lacks the camera or its picture has another size, and a ConfigError when
 * the instruction is longer than the context.
 */
export function createPolicy(model: PolicyModel, executor: Executor, batch = 32): LoadedPolicy {
  const spec = specOf(model);
  const programs = new Map<number, Promise<Compiled>>();
  const program = (size: number) => {
    const known = programs.get(size) ?? compileInference(model, size, executor);
    programs.set(size, known);
    return known;
  };
  let perception: Promise<Perception> | undefined;
  const memory = createLatentMemory(model);
  const remembers = memory !== undefined || model.head.ensemble;
  const newNoise = () => createRng(`policy/${model.policyId}`);
  let noise = newNoise();
  const width = spec.chunkLength * model.space.names.length;

  const inferSome = async (observations: readonly Observation[], size: number): Promise<ActionChunk[]> => {
    perception ??= openPerception(model.backbone, model.vocabulary, executor);
    const inputs: Record<string, HostInput> = await senses(model, await perception, observations, size);
    const { stampNs } = observations[0]!;
    if (memory !== undefined) inputs.previous = memory.before(stampNs);
    if (model.head.kind === "flow") inputs.noise = Float32Array.from({ length: size * width }, () => noise.normal());
    const { actions, latents } = (await (await program(size)).run(inputs)) as Record<string, HostArray | undefined>;
    if (memory !== undefined) memory.remember(stampNs, latents!.data as Int32Array);
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
    if (remembers && observations.length > 1) {
      throw new UserError(
        `policy ${model.policyId}: remembers what it said before, so it follows one episode at a time, got ${observations.length} observations at once. Ask for one.`,
      );
    }
    const chunks: ActionChunk[] = [];
    for (let start = 0; start < observations.length; start += batch) {
      const part = observations.slice(start, start + batch);
      chunks.push(...(await inferSome(part, part.length === 1 ? 1 : batch)));
      signal?.throwIfAborted();
    }
    return chunks;
  };
  const policy: LoadedPolicy = {
    spec,
    inferBatch,
    infer: async (observation, signal) => (await inferBatch([observation], signal))[0]!,
    reset: () => {
      memory?.forget();
      noise = newNoise();
    },
    async dispose() {
      const made = await Promise.allSettled([...programs.values(), ...(perception ? [perception] : [])]);
      programs.clear();
      perception = undefined;
      for (const one of made) if (one.status === "fulfilled") await one.value.dispose();
    },
  };
  if (!model.head.ensemble) return policy;
  const ensemble = temporalEnsemble(policy, model.head.ensembleDecay);
  return {
    ...ensemble,
    dispose: policy.dispose,
    async inferBatch(observations, signal) {
      if (observations.length !== 1) return inferBatch(observations, signal);
      return [await ensemble.infer(observations[0]!, signal)];
    },
  };
}
