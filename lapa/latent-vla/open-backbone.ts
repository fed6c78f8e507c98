import { z } from "zod";
import { parseConfig } from "#core/config/resolve.ts";
import type { Vocabulary } from "#core/text/word-tokenizer.ts";
import { openModel } from "#engine/index.ts";
import type { BackboneParameters } from "./backbone.ts";
import { type BackboneConfig, latentVlaTrainConfig } from "./config.ts";

/** A pretrained backbone with its words; the latent head stays behind. */
export type Backbone = {
  readonly id: string;
  readonly config: BackboneConfig;
  readonly trunk: BackboneParameters;
  readonly vocabulary: Vocabulary;
};

const statisticsSchema = z.object({ vocabulary: z.array(z.string()) });

/** Opens a latent VLA. @throws UserError, FormatError or ConfigError as `openModel` */
export async function openBackbone(path: string): Promise<Backbone> {
  const { id, config, weights, meta } = await openModel(path, latentVlaTrainConfig);
  const { vocabulary } = parseConfig(statisticsSchema, meta.statistics, `checkpoint ${path}: statistics`);
  return { id, config: config.model, trunk: (weights as unknown as { trunk: BackboneParameters }).trunk, vocabulary };
}
