import { type RunSettings, type TrainResult, train, warmupCosine } from "#engine/index.ts";
import { quantizerBatch } from "./batches.ts";
import { needsEyes, type QuantizerTrainConfig } from "./config.ts";
import { openEyes, seeFeatures } from "./eyes.ts";
import { splitTrainingPairs } from "./pair-source.ts";
import { createQuantizerStep } from "./train-step.ts";
import { createUsageMeter, type UsageRow } from "./usage.ts";
import type { VideoData } from "./video-data.ts";

export type QuantizerTraining = TrainResult & {
  /** Share of use of each code over the run, for plots. */
  readonly usage: readonly UsageRow[];
};

/** The configuration as it is trained: what follows from the data is filled in. */
export function completeQuantizerConfig(config: QuantizerTrainConfig, actionSize: number): QuantizerTrainConfig {
  const groundingDims = config.grounding ? actionSize : 0;
  return { ...config, model: { ...config.model, groundingDims, timed: config.offsetsS.length > 0 } };
}

function learningRateOf({ schedule, learningRate: peak, warmupSteps, steps }: QuantizerTrainConfig) {
  const warmup = Math.min(warmupSteps, steps - 1);
  if (schedule === "cosine") return warmupCosine({ peak, warmupSteps: warmup, steps });
  return (step: number) => (step < warmup ? (peak * (step + 1)) / warmup : peak);
}

/**
 * Trains a quantizer on frame pairs.
 *
 * A frozen encoder, where the model has one, is opened beside it; it sees frames without colour augmentation.
 *
 * @throws UserError when nothing can be paired, the loss explodes or the codebook stays collapsed
 */
export async function trainQuantizer(
  data: VideoData,
  given: QuantizerTrainConfig,
  run: RunSettings,
): Promise<QuantizerTraining> {
  const { train: source, actionSize } = splitTrainingPairs(data, given);
  const eyes = needsEyes(given.model) ? await openEyes(given.model, run.executor) : undefined;
  const seeing = eyes ? { ...given, model: { ...given.model, imageEncoder: eyes.config } } : given;
  const config = completeQuantizerConfig(seeing, actionSize);
  const step = await createQuantizerStep(config, run.executor).catch(async (error) => {
    await eyes?.dispose();
    throw error;
  });
  const meter = createUsageMeter(config.model.codebookSize, run.log, config.allowCollapse);
  try {
    const result = await train({
      ...run,
      step,
      batchAt: async (index) => {
        const batch = quantizerBatch(source, config, index);
        return { ...batch, ...(await seeFeatures(config.model, eyes, batch.frames)) };
      },
      batchSize: config.batch,
      steps: config.steps,
      learningRate: learningRateOf(config),
      config,
      engine: run.executor.kind,
      seed: config.seed,
      dataHash: data.hash,
      statistics: { offsetS: config.offsetS },
      checkpointEvery: 200,
      onOutputs: (at, outputs) => meter.add(at, outputs.use!.data),
    });
    return { ...result, usage: meter.rows() };
  } finally {
    await step.dispose();
    await eyes?.dispose();
  }
}
