import { z } from "zod";
import { binCount } from "#core/actions/bins.ts";
import { parseConfig } from "#core/config/resolve.ts";
import { FormatError } from "#core/errors.ts";
import { type HostArray, openModel } from "#engine/index.ts";
import { finetuneConfig } from "./config.ts";
import { type ActionVlaParameters, isFlow } from "./model.ts";
import type { PolicyModel } from "./policy-model.ts";
import type { PolicyStatistics } from "./statistics.ts";

const bins = z.object({ edges: z.array(z.number()), centres: z.array(z.number()) });
const numbers = z.array(z.number());
const statisticsSchema = z.object({
  vocabulary: z.array(z.string()),
  tokenizer: z.object({ dimensions: z.array(bins) }),
  normalisation: z.object({ offset: numbers, scale: numbers }),
  space: z.object({
    kind: z.enum(["joint-position", "joint-velocity", "end-effector-delta", "planar-delta"]),
    names: z.array(z.string()),
    units: z.array(z.string()),
    limits: z.object({ low: numbers, high: numbers }),
    gripper: z.number().optional(),
  }),
  camera: z.string(),
  rateHz: z.number(),
  latent: z.object({ quantizerHash: z.string(), offsetS: z.number() }).optional(),
});

/** Statistics and weights that do not belong together would move an arm by wrong numbers: they are refused. */
function checkFit(path: string, statistics: PolicyStatistics, model: PolicyModel): void {
  const { tokenizer, normalisation, space, vocabulary } = statistics;
  const size = space.names.length;
  const { action, trunk } = model.parameters;
  const rows = (array: unknown, axis = 0) => (array as HostArray).shape[axis];
  const words = trunk.words as { weight?: HostArray };
  const facts: [what: string, got: number | undefined, wanted: number][] = [
    ["units", space.units.length, size],
    ["lower limits", space.limits.low.length, size],
    ["upper limits", space.limits.high.length, size],
    ["dimensions with bins", tokenizer.dimensions.length, size],
    ["offsets", normalisation.offset.length, size],
    ["scales", normalisation.scale.length, size],
    ["words", "weight" in words ? vocabulary.length : rows(trunk.words), vocabulary.length],
    ...(isFlow(action)
      ? ([
          ["outputs of the flow head", rows(action.leave.weight, 1), size],
          ["places of the flow head", rows(action.places), model.head.chunkLength],
        ] as [string, number | undefined, number][])
      : ([
          ["classes of the action head", rows(action.classify.weight, 1), binCount(tokenizer)],
          ["queries of the action head", rows(action.queries), model.head.chunkLength * size],
        ] as [string, number | undefined, number][])),
  ];
  const wrong = facts.find(([, got, wanted]) => got !== wanted);
  if (wrong === undefined) return;
  const [what, got, wanted] = wrong;
  throw new FormatError(
    path,
    `statistics and weights must belong together: ${wanted} ${what} are needed, got ${got}. Take the checkpoint as it was written, or train again.`,
  );
}

/**
 * Opens a fine-tuned policy.
 *
 * @throws UserError, FormatError or ConfigError as `openModel`; FormatError when statistics and weights do not fit
 */
export async function openPolicyModel(path: string): Promise<PolicyModel> {
  const { id, config, weights, meta } = await openModel(path, finetuneConfig);
  const statistics = parseConfig(
    statisticsSchema,
    meta.statistics,
    `checkpoint ${path}: statistics`,
  ) as PolicyStatistics;
  const metrics = Object.entries(meta.metrics).flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
  const model: PolicyModel = {
    ...statistics,
    policyId: id,
    backbone: config.model,
    head: config.head,
    parameters: weights as unknown as ActionVlaParameters,
    provenance: {
      ...{ step: meta.step, code: meta.code, dataHash: meta.dataHash, parents: meta.parents },
      metrics: Object.fromEntries(metrics),
    },
  };
  checkFit(path, statistics, model);
  return model;
}
