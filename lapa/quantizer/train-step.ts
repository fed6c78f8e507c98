import type * as tf from "@tensorflow/tfjs";
import { createRng } from "#core/rng.ts";
import { compileTrainStep, type Executor, type TrainStep } from "#engine/index.ts";
import { quantizerInputs } from "./batches.ts";
import type { QuantizerTrainConfig } from "./config.ts";
import { type QuantizerBatch, quantizerLoss } from "./loss.ts";
import { initQuantizer, type QuantizerParameters } from "./model.ts";
import { type Codebook, initCodebook, initNoiseCodebook } from "./vector-quantize.ts";

/** Compiles the step that trains encoder, decoder and codebook together. */
export function createQuantizerStep(config: QuantizerTrainConfig, executor: Executor): Promise<TrainStep> {
  const { model } = config;
  const rng = createRng(`quantizer/${config.seed}`);
  return compileTrainStep(
    (params, batch, codebook) =>
      quantizerLoss(
        params as unknown as QuantizerParameters<tf.Tensor>,
        codebook as unknown as Codebook<tf.Tensor>,
        model,
        batch as unknown as QuantizerBatch,
      ),
    {
      name: "quantizer",
      parameters: initQuantizer(rng.fork("weights"), model),
      extra:
        model.quantization === "nsvq"
          ? initNoiseCodebook(model.codebookSize, model.codeWidth)
          : initCodebook(rng.fork("codebook"), model.codebookSize, model.codeWidth),
      inputs: quantizerInputs(config),
      batch: config.batch,
      optimizer: { beta2: config.beta2, weightDecay: config.weightDecay, clipNorm: config.clipNorm },
      executor,
    },
  );
}
