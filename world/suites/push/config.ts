import { z } from "zod";
import { ConfigError } from "#core/errors.ts";
import { levels } from "../../tabletop/looks.ts";

export const taskKinds = [
  "reach",
  "block-to-block",
  "block-to-place",
  "block-to-relative-place",
  "relative-move",
  "separate",
] as const;
export type TaskKind = (typeof taskKinds)[number];

const metres = (value: number, meaning: string) => z.number().positive().default(value).describe(`${meaning}, m`);

/** When a task counts as solved. Distances are between centres' nominal outlines (see tabletop/workspace.ts). */
const thresholds = z.strictObject({
  reachGapM: metres(0.012, "largest gap between tip and block for `reach`"),
  touchGapM: metres(0.02, "largest gap between two blocks that counts as together"),
  edgeM: metres(0.06, "largest distance from the reach's border that counts as at the edge"),
  cornerM: metres(0.08, "the same on both axes for a corner"),
  centreM: metres(0.05, "largest distance from the centre"),
  relativeOffsetM: metres(0.11, "where `left of` and its like are, from the reference's centre"),
  relativeM: metres(0.045, "largest distance from that place"),
  moveM: metres(0.1, "least move in the asked direction"),
  moveSideM: metres(0.06, "largest move across that direction"),
  separateM: metres(0.17, "least distance between centres that counts as apart"),
});
export type Thresholds = z.infer<typeof thresholds>;

const weight = (value: number) => z.number().nonnegative().default(value).describe("share of this kind, relative");

/** What the push suite asks, as data. The `push` presets are in presets.ts. */
export const pushConfig = z.strictObject({
  suite: z.literal("push").default("push").describe("which suite this is"),
  blocks: z
    .union([z.literal(4), z.literal(8)])
    .default(4)
    .describe("number of blocks on the table"),
  kinds: z
    .strictObject({
      reach: weight(0),
      "block-to-block": weight(1),
      "block-to-place": weight(1),
      "block-to-relative-place": weight(1),
      "relative-move": weight(1),
      separate: weight(1),
    })
    .prefault({}),
  subjects: z.array(z.string()).default([]).describe("only these blocks are asked to move; empty: all"),
  references: z.array(z.string()).default([]).describe("only these blocks are referred to; empty: all"),
  places: z.array(z.string()).default([]).describe("only these places are asked for; empty: all"),
  phrasings: z.enum(["one", "all"]).default("all").describe("one wording per task, or all paraphrases"),
  holdOut: z.boolean().default(true).describe("keep some object combinations and phrasings out of training"),
  looks: z.enum(levels).default("low").describe("how much table, light and bodies vary"),
  camera: z.enum(levels).default("low").describe("how much the camera's place varies"),
  dynamics: z.enum(levels).default("none").describe("how much friction and mass vary"),
  nudges: z.number().min(0).max(1).default(0).describe("share of episodes in which something bumps into a block"),
  maxSteps: z.number().int().positive().default(60).describe("control steps at 10 Hz before an episode fails"),
  holdSteps: z.number().int().positive().default(2).describe("last control steps that must all meet the condition"),
  thresholds: thresholds.prefault({}),
});
export type PushConfig = z.infer<typeof pushConfig>;

/** Fills in the defaults of a push configuration. @throws ConfigError naming the field */
export function parsePushConfig(value: unknown): PushConfig {
  const parsed = pushConfig.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ConfigError(
    `suite: ${issue.path.join(".") || "the configuration"} must be valid, got "${issue.message}". Mend that field.`,
  );
}
