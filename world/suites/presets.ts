import { ConfigError } from "#core/errors.ts";
import { findSuite } from "./index.ts";
import { type PerturbationName, perturb } from "./perturb.ts";
import { type PickPlaceConfig, parsePickPlaceConfig } from "./pick-place/config.ts";
import { pickPlacePresets } from "./pick-place/presets.ts";
import { type PushConfig, parsePushConfig } from "./push/config.ts";
import { pushPresets } from "./push/presets.ts";

/** Every named configuration; a suite's own name stands for all that it asks. */
export const suitePresets = { ...pushPresets, push: pushPresets["language-table"], ...pickPlacePresets } as const;
export type SuitePresetName = keyof typeof suitePresets;
export const suitePresetNames = Object.keys(suitePresets) as SuitePresetName[];

export type SuiteChoice = {
  readonly suite: SuitePresetName;
  readonly perturbation?: PerturbationName;
  /** Fields that differ from the preset. */
  readonly changes?: Readonly<Record<string, unknown>>;
};

/** A preset with its changes, then shifted. @throws ConfigError naming a field that is none or not valid */
export function chooseSuite({ suite, perturbation = "none", changes = {} }: SuiteChoice): PushConfig | PickPlaceConfig {
  const preset = suitePresets[suite];
  const changed = { ...preset, ...changes, suite: preset.suite };
  const parsed = preset.suite === "push" ? parsePushConfig(changed) : parsePickPlaceConfig(changed);
  return perturb(parsed, perturbation);
}

/** @throws ConfigError when the suite has no such body, or one whose actions are nobody's */
export function requireRobot(embodiment: string, suite: string): void {
  const { embodiments } = findSuite(suite);
  if (embodiments[embodiment]?.recordsActions) return;
  const robots = Object.values(embodiments).flatMap(({ id, recordsActions }) => (recordsActions ? [id] : []));
  throw new ConfigError(
    `embodiment: must be a robot of suite "${suite}" (${robots.join(", ")}), got "${embodiment}". Choose one.`,
  );
}
