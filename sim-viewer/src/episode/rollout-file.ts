import { unpack } from "msgpackr";
import { z } from "zod";
import type { RolloutLog } from "#world/scene/rollout-log.ts";

const triple = z.array(z.number()).length(3);
const sizeLengths = { plane: 2, sphere: 1, capsule: 2, cylinder: 2, box: 3, mesh: 0 } as const;

const materialSchema = z.object({
  rgba: z.array(z.number()).length(4),
  texture: z
    .object({
      kind: z.enum(["wood", "cloth", "checker", "noise"]),
      rgb: triple,
      repeat: z.number().positive(),
      seed: z.number(),
    })
    .optional(),
});

const geomSchema = z
  .object({
    name: z.string(),
    type: z.enum(["plane", "sphere", "capsule", "cylinder", "box", "mesh"]),
    size: z.array(z.number().nonnegative()),
    material: materialSchema,
    body: z.int(),
    mesh: z.string().optional(),
  })
  .refine(({ type, size }) => size.length >= sizeLengths[type], { error: "must have as many sizes as its type has" });

const meshSchema = z
  .object({
    positions: z.instanceof(Float32Array),
    normals: z.instanceof(Float32Array),
    indices: z.instanceof(Uint32Array),
  })
  .refine(({ positions, normals }) => positions.length === normals.length && positions.length % 3 === 0, {
    error: "must have one normal per position",
  })
  .refine(({ positions, indices }) => indices.every((index) => index < positions.length / 3), {
    error: "must have indices of its own positions",
  });

const sceneSchema = z
  .object({
    geoms: z.array(geomSchema),
    cameras: z.array(z.object({ name: z.string(), fovyDeg: z.number().gt(0).lt(180) })),
    lights: z.array(z.object({ direction: triple, intensity: z.number(), castsShadow: z.boolean() })),
    ambient: z.number(),
    background: triple,
    meshes: z.record(z.string(), meshSchema).optional(),
  })
  .refine(({ geoms, meshes }) => geoms.every(({ type, mesh }) => type !== "mesh" || meshes?.[mesh ?? ""]), {
    error: "must hold every mesh that its geoms name",
  });

const logSchema = z.object({
  version: z.literal(1),
  instance: z.object({
    hash: z.string(),
    suite: z.string(),
    task: z.string(),
    instruction: z.string(),
    split: z.string(),
  }),
  policyId: z.string(),
  rateHz: z.number().positive(),
  frames: z.int().positive(),
  scene: sceneSchema,
  geomPoses: z.instanceof(Float32Array),
  cameraPoses: z.instanceof(Float32Array),
  actions: z.instanceof(Float32Array),
  actionNames: z.array(z.string()),
  success: z.boolean(),
  reasons: z.array(z.string()),
  videos: z.record(z.string(), z.string()),
  chunks: z
    .object({
      length: z.int().positive(),
      frames: z.instanceof(Int32Array),
      actions: z.instanceof(Float32Array),
    })
    .optional(),
});

function decodeMessagePack(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes);
  } catch (cause) {
    throw new Error(`expected MessagePack, got ${bytes.length} bytes that end or break early. Record it again.`, {
      cause,
    });
  }
}

function expectLength(name: string, array: Float32Array | Int32Array, length: number): void {
  if (array.length === length) return;
  throw new Error(`${name}: expected ${length} numbers, got ${array.length}. Record it again.`);
}

/**
 * Reads a `*.rollout` file and checks all that the viewer draws from: types, and that every array has the length which
 * the scene and the frame count ask for.
 *
 * @throws Error with one sentence: what must hold, what the file holds. The caller adds the path.
 */
export function decodeRollout(bytes: Uint8Array): RolloutLog {
  const value = decodeMessagePack(bytes);
  const checked = logSchema.safeParse(value);
  if (!checked.success) {
    const { path, message } = checked.error.issues[0]!;
    const place = path.length > 0 ? `${path.join(".")}: ` : "";
    throw new Error(`expected a rollout of version 1, got another content (${place}${message}). Record it again.`);
  }
  const { frames, scene, actionNames, geomPoses, cameraPoses, actions, chunks } = checked.data;
  expectLength("geomPoses", geomPoses, frames * scene.geoms.length * 7);
  expectLength("cameraPoses", cameraPoses, frames * scene.cameras.length * 7);
  expectLength("actions", actions, frames * actionNames.length);
  if (chunks) {
    expectLength("chunks.actions", chunks.actions, chunks.frames.length * chunks.length * actionNames.length);
    const isOrdered = chunks.frames.every((frame, index) => frame >= (chunks.frames[index - 1] ?? 0) && frame < frames);
    if (!isOrdered) throw new Error("chunks.frames: expected frames of the episode, ascending. Record it again.");
  }
  return value as RolloutLog;
}
