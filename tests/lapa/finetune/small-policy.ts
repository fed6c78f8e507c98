/** @file A policy of random weights with two dimensions: x in metres and a gripper. */
import { binCount } from "#core/actions/bins.ts";
import { createRng } from "#core/rng.ts";
import { actionHeadConfig } from "#lapa/finetune/config.ts";
import { initActionHead, initPreviousLatent } from "#lapa/finetune/model.ts";
import type { PolicyModel } from "#lapa/finetune/policy-model.ts";
import { fitActionStatistics } from "#lapa/finetune/statistics.ts";
import { backboneConfig, initBackbone, initLatentHead } from "#lapa/latent-vla/index.ts";
import { smallModel } from "./small-data.ts";

export function smallPolicy(head: object = {}, model: object = {}, hearsLatent = false): PolicyModel {
  const config = {
    head: actionHeadConfig.parse({ chunkLength: 2, bins: 8, ...head }),
    backbone: backboneConfig.parse({ ...smallModel, vocabularySize: 4, ...model }),
  };
  const actions = Float32Array.from({ length: 40 }, (_, index) =>
    index % 2 === 0 ? index / 19 - 1 : (index >> 1) % 2,
  );
  const fitted = fitActionStatistics(actions, ["x", "grip"], { head: config.head, ignore: [] });
  const { kind, order, chunkLength } = config.head;
  const shape = { dimensions: 2, chunkLength, bins: binCount(fitted.tokenizer), kind, order };
  const rng = createRng("small policy");
  return {
    ...config,
    ...fitted,
    policyId: "5ma11",
    parameters: {
      trunk: initBackbone(rng.fork("trunk"), config.backbone),
      action: initActionHead(rng.fork("head"), config.backbone, shape),
      ...(hearsLatent
        ? {
            latent: initLatentHead(rng.fork("latent"), config.backbone),
            previous: initPreviousLatent(rng.fork("previous"), config.backbone, undefined),
          }
        : {}),
    },
    vocabulary: ["<pad>", "<unknown>", "block", "push"],
    space: {
      ...{ kind: "end-effector-delta", names: ["x", "grip"], units: ["m", "1"], gripper: 1 },
      limits: { low: [-1, 0], high: [1, 1] },
    },
    camera: "front",
    rateHz: 10,
    ...(hearsLatent ? { latent: { quantizerHash: "quantizer", offsetS: 0.2 } } : {}),
    provenance: { step: 7, code: "0.1.0", dataHash: "d47a", parents: ["9a9a"], metrics: { loss: 0.5 } },
  };
}
