import { z } from "zod";
import { parseConfig } from "#core/config/resolve.ts";
import type { Vocabulary } from "#core/text/word-tokenizer.ts";
import { openModel } from "#engine/index.ts";
import type { BackboneParameters } from "./backbone.ts";
import type { LatentOrigin } from "./check-labels.ts";
import { type BackboneConfig, latentVlaTrainConfig } from "./config.ts";
import type { LatentHead, LatentVlaParameters } from "./model.ts";

/** A pretrained backbone with its words; the latent head is left behind, or kept, by who takes it. */
export type Backbone = {
  readonly id: string;
  readonly config: BackboneConfig;
  readonly trunk: BackboneParameters;
  readonly vocabulary: Vocabulary;
  readonly latent?: LatentHead | undefined;
  /** Whose latent actions it says. */
  readonly latentOrigin?: LatentOrigin | undefined;
};

const statisticsSchema = z.object({
  vocabulary: z.array(z.string()),
  latent: z.object({ quantizerHash: z.string(), offsetS: z.number() }).optional(),
});

/** Opens a latent VLA. @throws UserError, FormatError or ConfigError as `openModel` */
export async function openBackbone(path: string): Promise<Backbone> {
  const { id, config, weights, meta } = await openModel(path, latentVlaTrainConfig);
  const { vocabulary, latent: latentOrigin } = parseConfig(
    statisticsSchema,
    meta.statistics,
    `checkpoint ${path}: statistics`,
  );
  const { trunk, latent } = weights as unknown as LatentVlaParameters;
  return { id, config: config.model, trunk, latent, vocabulary, latentOrigin };
}
