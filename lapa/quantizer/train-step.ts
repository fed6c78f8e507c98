import type * as tf from "@tensorflow/tfjs";
import { createRng, type Rng } from "#core/rng.ts";
import { compileTrainStep, type Executor, type HostArray, type TrainStep } from "#engine/index.ts";
import { quantizerInputs } from "./batches.ts";
import { codebookRows } from "./code-space.ts";
import type { QuantizerModelConfig, QuantizerTrainConfig } from "./config.ts";
import { scalarGrid } from "./finite-scalars.ts";
import { type QuantizerBatch, type QuantizerState, quantizerLoss } from "./loss.ts";
import { initQuantizer, type QuantizerParameters } from "./model.ts";
import { type AnyCodebook, initCodebook, initNoiseCodebook } from "./vector-quantize.ts";

function initAnyCodebook(rng: Rng, model: QuantizerModelConfig): AnyCodebook<HostArray> {
  const rows = codebookRows(model);
  if (model.quantization === "nsvq") return initNoiseCodebook(rows, model.codeWidth);
  if (model.quantization === "fsq") return { vectors: scalarGrid(model.fsqLevels) };
  return initCodebook(rng, rows, model.codeWidth);
}

/** The averaged encoder starts as the encoder itself. */
function initState(rng: Rng, model: QuantizerModelConfig, parameters: QuantizerParameters): QuantizerState<HostArray> {
  const codebook = initAnyCodebook(rng, model);
  if (model.target !== "own" || "published" in parameters) return codebook;
  const { stem, spatial } = parameters.encoder;
  return { ...codebook, target: { stem, spatial } };
}

/** Compiles the step that trains encoder, decoder and codebook together. */
export function createQuantizerStep(config: QuantizerTrainConfig, executor: Executor): Promise<TrainStep> {
  const { model } = config;
  const rng = createRng(`quantizer/${config.seed}`);
  const parameters = initQuantizer(rng.fork("weights"), model);
  return compileTrainStep(
    (params, batch, codebook) =>
      quantizerLoss(
        params as unknown as QuantizerParameters<tf.Tensor>,
        codebook as unknown as QuantizerState<tf.Tensor>,
        model,
        batch as unknown as QuantizerBatch,
      ),
    {
      name: "quantizer",
      parameters,
      extra: initState(rng.fork("codebook"), model, parameters) as never,
      inputs: quantizerInputs(config),
      batch: config.batch,
      optimizer: { beta2: config.beta2, weightDecay: config.weightDecay, clipNorm: config.clipNorm },
      executor,
    },
  );
}
