import { z } from "zod";
import type { ActionSpace } from "#core/contracts/action.ts";
import type { PolicySpec } from "#core/contracts/policy.ts";
import { FormatError } from "#core/errors.ts";
import type { Packable } from "./msgpack-numpy.ts";

const numbers = z.array(z.number());
const spaceJson = z.object({
  kind: z.enum(["joint-position", "joint-velocity", "end-effector-delta", "planar-delta"]),
  names: z.array(z.string()).min(1).max(256),
  units: z.array(z.string()),
  limits: z.object({ low: numbers, high: numbers }),
  gripper: z.int().min(0).optional(),
});
const specJson = z.object({
  policyId: z.string().max(256),
  cameras: z.array(z.object({ name: z.string(), height: z.int().min(1), width: z.int().min(1) })).max(16),
  stateSize: z.int().min(0),
  space: spaceJson,
  chunkLength: z.int().min(1).max(10_000),
  rateHz: z.number().positive(),
});

/** What a policy is, as it travels in a server's first message. Normalisation stays with the policy. */
export function encodePolicySpec({ space, ...spec }: PolicySpec): { readonly [key: string]: Packable } {
  const { kind, names, units, limits, gripper } = space;
  return {
    ...spec,
    cameras: spec.cameras.map((camera) => ({ ...camera })),
    space: {
      kind,
      names: [...names],
      units: [...units],
      limits: { low: [...limits.low], high: [...limits.high] },
      ...(gripper === undefined ? {} : { gripper }),
    },
  };
}

/** @throws FormatError naming the field */
export function decodePolicySpec(value: unknown): PolicySpec {
  const result = specJson.safeParse(value);
  const issue = result.error?.issues[0];
  if (!result.success) {
    throw new FormatError("policy spec", `${issue?.path.join(".") || "message"}: ${issue?.message ?? "wrong"}.`);
  }
  const { space, ...spec } = result.data;
  const { names, units, limits, gripper } = space;
  if ([units, limits.low, limits.high].some((list) => list.length !== names.length) || (gripper ?? 0) >= names.length) {
    throw new FormatError("policy spec", "space: names, units and limits must have one entry per dimension.");
  }
  const { gripper: _, ...rest } = space;
  const whole: ActionSpace = gripper === undefined ? rest : { ...rest, gripper };
  return { ...spec, space: whole };
}
