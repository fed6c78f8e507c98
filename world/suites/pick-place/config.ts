import { z } from "zod";
import { ConfigError } from "#core/errors.ts";
import { levels } from "../../tabletop/looks.ts";

export const pickKinds = ["stack", "put-on", "put-in", "move-near", "open-drawer", "close-drawer"] as const;
export type PickKind = (typeof pickKinds)[number];

const weight = z.number().nonnegative().default(1).describe("share of this kind, relative");

/** What the pick-place suite asks, as data. The presets are in presets.ts. */
export const pickPlaceConfig = z.strictObject({
  suite: z.literal("pick-place").default("pick-place").describe("which suite this is"),
  kinds: z
    .strictObject({
      stack: weight,
      "put-on": weight,
      "put-in": weight,
      "move-near": weight,
      "open-drawer": weight,
      "close-drawer": weight,
    })
    .prefault({}),
  distractors: z.number().int().min(0).max(2).default(1).describe("things on the table that the task does not name"),
  phrasings: z.enum(["one", "all"]).default("all").describe("one wording per task, or all paraphrases"),
  holdOut: z.boolean().default(true).describe("keep some object combinations and phrasings out of training"),
  looks: z.enum(levels).default("low").describe("how much table, light and bodies vary"),
  camera: z.enum(levels).default("low").describe("how much the camera's place varies"),
  dynamics: z.enum(levels).default("none").describe("how much friction and mass vary"),
  nudges: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("share of episodes in which something bumps into the thing to move"),
  maxSteps: z.number().int().positive().default(60).describe("control steps at 5 Hz before an episode fails"),
  holdSteps: z.number().int().positive().default(2).describe("last control steps that must all meet the condition"),
});
export type PickPlaceConfig = z.infer<typeof pickPlaceConfig>;

/** Fills in the defaults of a pick-place configuration. @throws ConfigError naming the field */
export function parsePickPlaceConfig(value: unknown): PickPlaceConfig {
  const parsed = pickPlaceConfig.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ConfigError(
    `suite: ${issue.path.join(".") || "the configuration"} must be valid, got "${issue.message}". Mend that field.`,
  );
}
