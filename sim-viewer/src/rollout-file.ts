import { unpack } from "msgpackr";
import type { RolloutLog } from "#world/scene/rollout-log.ts";

function decodeMessagePack(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes);
  } catch (cause) {
    throw new Error(`expected MessagePack, got ${bytes.length} bytes that end or break early. Record it again.`, {
      cause,
    });
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isStrings = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === "string");
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function expectArray(log: Record<string, unknown>, name: string, length: number): void {
  const value = log[name];
  if (!(value instanceof Float32Array)) throw new Error(`expected ${name} as f32, got ${describe(value)}.`);
  if (value.length !== length) throw new Error(`expected ${length} numbers in ${name}, got ${value.length}.`);
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (isRecord(value)) return value.constructor?.name ?? "an object";
  return String(value);
}

/**
 * Reads a `*.rollout` file and checks that every array has the length which the scene and the frame count ask for.
 *
 * @throws Error with one sentence: what must hold, what the file holds. The caller adds the path.
 */
export function decodeRollout(bytes: Uint8Array): RolloutLog {
  const log = decodeMessagePack(bytes);
  if (!isRecord(log)) throw new Error(`expected a rollout log, got ${describe(log)}.`);
  if (log.version !== 1) throw new Error(`expected rollout version 1, got ${describe(log.version)}.`);
  const { frames, rateHz, scene, instance } = log;
  if (!isCount(frames) || frames === 0) throw new Error(`expected at least 1 frame, got ${describe(frames)}.`);
  if (typeof rateHz !== "number" || !(rateHz > 0)) throw new Error(`expected rateHz > 0, got ${describe(rateHz)}.`);
  if (
    !isRecord(scene) ||
    !Array.isArray(scene.geoms) ||
    !Array.isArray(scene.cameras) ||
    !Array.isArray(scene.lights)
  ) {
    throw new Error("expected a scene with geoms, cameras and lights, got none.");
  }
  if (!isRecord(instance) || typeof instance.instruction !== "string") {
    throw new Error("expected a task instance with an instruction, got none.");
  }
  if (!isStrings(log.actionNames)) throw new Error("expected actionNames as strings, got none.");
  if (!isStrings(log.reasons)) throw new Error("expected reasons as strings, got none.");
  if (!isRecord(log.videos)) throw new Error(`expected videos by camera name, got ${describe(log.videos)}.`);
  expectArray(log, "geomPoses", frames * scene.geoms.length * 7);
  expectArray(log, "cameraPoses", frames * scene.cameras.length * 7);
  expectArray(log, "actions", frames * (log.actionNames as string[]).length);
  return log as unknown as RolloutLog;
}
