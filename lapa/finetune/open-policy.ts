import { z } from "zod";
import { parseConfig } from "#core/config/resolve.ts";
import { openModel } from "#engine/index.ts";
import { finetuneConfig } from "./config.ts";
import type { ActionVlaParameters } from "./model.ts";
import type { PolicyModel } from "./policy.ts";
import type { PolicyStatistics } from "./train.ts";

const bins = z.object({ edges: z.array(z.number()), centres: z.array(z.number()) });
const numbers = z.array(z.number());
const statisticsSchema = z.object({
  vocabulary: z.array(z.string()),
  tokenizer: z.object({ dimensions: z.array(bins) }),
  space: z.object({
    kind: z.enum(["joint-position", "joint-velocity", "end-effector-delta", "planar-delta"]),
    names: z.array(z.string()),
    units: z.array(z.string()),
    limits: z.object({ low: numbers, high: numbers }),
    gripper: z.number().optional(),
  }),
  camera: z.string(),
  rateHz: z.number(),
});

/** Opens a fine-tuned policy. @throws UserError, FormatError or ConfigError as `openModel` */
export async function openPolicyModel(path: string): Promise<PolicyModel> {
  const { id, config, weights, meta } = await openModel(path, finetuneConfig);
  const statistics = parseConfig(statisticsSchema, meta.statistics, `checkpoint ${path}: statistics`);
  const { vocabulary, tokenizer, space, camera, rateHz } = statistics as PolicyStatistics;
  return {
    policyId: id,
    backbone: config.model,
    head: config.head,
    parameters: weights as unknown as ActionVlaParameters,
    vocabulary,
    tokenizer,
    space,
    camera,
    rateHz,
  };
}
