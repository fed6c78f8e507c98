/**
 * @file MuJoCo's own WebAssembly build, loaded once per thread. What must be known about it (3.14.0): typed-array views
 * detach when the heap grows, so no view is kept across a call that may allocate; objects are freed by `.delete()` alone;
 * boolean array fields throw when read.
 */
import loadMujoco, { type MainModule, type MjData, type MjModel } from "@mujoco/mujoco";
import { ConfigError } from "#core/errors.ts";

export type { MainModule, MjData, MjModel };

let loading: Promise<MainModule> | undefined;

/** Loads the engine (about 0.3 s the first time in a thread, nothing afterwards). */
export function loadPhysics(): Promise<MainModule> {
  loading ??= loadMujoco();
  return loading;
}

const models = new Map<string, { readonly model: MjModel; users: number }>();

/**
 * Compiles an MJCF or URDF text, or shares the model that was compiled from the same text before.
 *
 * @throws ConfigError with MuJoCo's message (element and line) when the text is not a valid model
 */
export function acquireModel(mujoco: MainModule, xml: string): MjModel {
  const known = models.get(xml);
  if (known) {
    known.users += 1;
    return known.model;
  }
  let model: MjModel;
  try {
    model = mujoco.MjModel.from_xml_string(xml);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`model: must be valid MJCF or URDF, got "${message.trim()}". Mend the named element.`, {
      cause,
    });
  }
  models.set(xml, { model, users: 1 });
  return model;
}

/** Gives a shared model back; the last user frees it. */
export function releaseModel(xml: string): void {
  const known = models.get(xml);
  if (!known) return;
  known.users -= 1;
  if (known.users > 0) return;
  models.delete(xml);
  known.model.delete();
}
