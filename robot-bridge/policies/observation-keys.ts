import type { PolicySpec } from "#core/contracts/policy.ts";

/** Under which names an observation's parts travel. */
export type ObservationKeys = {
  /** Camera name to key. */
  readonly images: Readonly<Record<string, string>>;
  readonly state: string;
  readonly prompt: string;
};

/** openpi's names for LIBERO and our own: the first camera is `observation/image`, others `observation/<name>_image`. */
export const openpiKeys = ({ cameras }: Pick<PolicySpec, "cameras">): ObservationKeys => ({
  images: Object.fromEntries(
    cameras.map(({ name }, index) => [name, index === 0 ? "observation/image" : `observation/${name}_image`]),
  ),
  state: "observation/state",
  prompt: "prompt",
});
