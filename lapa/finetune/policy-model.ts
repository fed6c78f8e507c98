import type { BackboneConfig } from "#lapa/latent-vla/index.ts";
import type { ActionHeadConfig } from "./config.ts";
import type { ActionVlaParameters } from "./model.ts";
import type { PolicyStatistics } from "./statistics.ts";

/** Everything that a policy is; a checkpoint holds just this. */
export type PolicyModel = PolicyStatistics & {
  readonly policyId: string;
  readonly backbone: BackboneConfig;
  readonly head: ActionHeadConfig;
  readonly parameters: ActionVlaParameters;
  /** Where it comes from. */
  readonly provenance?: {
    readonly step: number;
    readonly code: string;
    readonly dataHash: string;
    readonly parents: readonly string[];
    readonly metrics: Readonly<Record<string, number>>;
  };
};
