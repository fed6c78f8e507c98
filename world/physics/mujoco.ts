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

/** A model as text, with the files it names and a key that stands for all of it. */
export type ModelSource = {
  readonly xml: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly key: string;
};

/** A text without files is its own key. */
export const modelSource = (xml: string): ModelSource => ({ xml, files: {}, key: xml });

const models = new Map<string, { readonly model: MjModel; users: number }>();

/**
 * Compiles an MJCF or URDF model, or shares the one that was compiled from the same source before.
 *
 * @throws ConfigError with MuJoCo's message (element and line) when it is not a valid model
 */
export function acquireModel(mujoco: MainModule, source: ModelSource): MjModel {
  const known = models.get(source.key);
  if (known) {
    known.users += 1;
    return known.model;
  }
  const model = compile(mujoco, source);
  models.set(source.key, { model, users: 1 });
  return model;
}

function compile(mujoco: MainModule, { xml, files }: ModelSource): MjModel {
  const disk = new mujoco.MjVFS();
  try {
    for (const [name, bytes] of Object.entries(files)) disk.addBuffer(name, bytes);
    return mujoco.MjModel.from_xml_string(xml, disk);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`model: must be valid MJCF or URDF, got "${message.trim()}". Mend the named element.`, {
      cause,
    });
  } finally {
    disk.delete();
  }
}

/** Gives a shared model back; the last user frees it. */
export function releaseModel({ key }: ModelSource): void {
  const known = models.get(key);
  if (!known) return;
  known.users -= 1;
  if (known.users > 0) return;
  models.delete(key);
  known.model.delete();
}
