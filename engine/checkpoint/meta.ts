import { z } from "zod";

/** `meta.json` of a checkpoint. */
export const checkpointMeta = z.strictObject({
  format: z.literal("armature-checkpoint"),
  version: z.literal(1),
  /** Updates done. */
  step: z.number().int().min(0),
  seed: z.number().int(),
  /** Version and commit of the code that wrote it. */
  code: z.string(),
  /** Which executor computed it. */
  engine: z.string(),
  /** Ids of the checkpoints that it was started from. */
  parents: z.array(z.string()),
  /** Hash of the data it was trained on. */
  dataHash: z.string(),
  /** Normalisation of actions and states and whatever else a policy needs to run from this folder alone. */
  statistics: z.json(),
  metrics: z.record(z.string(), z.number().nullable()),
  /** SHA-256 of each file beside this one. */
  files: z.record(z.string(), z.string()),
});

export type CheckpointMeta = z.infer<typeof checkpointMeta>;

/** What the caller says about a checkpoint; format and hashes are added. */
export type CheckpointFacts = Omit<CheckpointMeta, "format" | "version" | "files">;
