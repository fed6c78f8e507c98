/** @file Configuration that the commands on data sets share. */
import { z } from "zod";
import type { OpenOptions } from "#datasets/open-dataset.ts";

/** How to read formats that do not say everything. */
export const readFields = {
  fps: z
    .number()
    .min(0)
    .default(0)
    .describe("frames a second of RLDS, HDF5 or recordings; 0: what they say or is usual"),
  flip: z.enum(["none", "vertical"]).default("none").describe("vertical puts LIBERO's pictures upright"),
  topics: z
    .record(z.string(), z.string())
    .optional()
    .describe('topics of recordings by feature: {"action": "/arm/command.position"}; left out: all'),
  clock: z.string().default("").describe("topic whose messages are the rows; empty: the first camera or the state"),
  task: z.string().default("").describe("what was done, for recordings, which do not say"),
};

type ReadFields = z.infer<z.ZodObject<typeof readFields>>;

export const readOptions = ({ fps, flip, topics, clock, task }: ReadFields): OpenOptions => ({
  ...(fps > 0 ? { fps } : {}),
  flip,
  ...(topics ? { topics } : {}),
  ...(clock !== "" ? { clock } : {}),
  ...(task !== "" ? { task } : {}),
});

/** Which part of the work this process does. */
export const shardFields = {
  shard: z.int().min(0).default(0).describe("which of the shards this process does, from 0"),
  of: z.int().min(1).default(1).describe("number of shards; above 1, merge them with datasets merge OUT"),
};
