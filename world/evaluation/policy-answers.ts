import type { ActionChunk, ActionSpace } from "#core/contracts/action.ts";
import type { Policy, PolicySpec } from "#core/contracts/policy.ts";
import { ConfigError, ShapeError, UserError } from "#core/errors.ts";
import type { Embodiment } from "../embodiments/embodiment.ts";

/** @throws ConfigError when a policy cannot act in this world at all */
export function checkPolicy({ spec }: Policy, { space, cameras }: Embodiment, executeSteps: number): void {
  const name = `policy "${spec.policyId}"`;
  if (spec.space.kind !== space.kind || spec.space.names.join() !== space.names.join()) {
    const shown = ({ kind, names }: ActionSpace) => `${kind} (${names.join(", ")})`;
    throw new ConfigError(
      `${name}: must act as ${shown(space)}, got ${shown(spec.space)}. Choose an embodiment with its action space.`,
    );
  }
  const unknown = spec.cameras.find((camera) => !cameras.includes(camera.name));
  if (unknown) {
    throw new ConfigError(
      `${name}: cameras must be among ${cameras.join(", ")}, got "${unknown.name}". Train it on those the world has.`,
    );
  }
  if (!(Number.isInteger(executeSteps) && executeSteps >= 1 && executeSteps <= spec.chunkLength)) {
    throw new ConfigError(
      `evaluation: executeSteps must be between 1 and the chunk's ${spec.chunkLength}, got ${executeSteps}. Change it.`,
    );
  }
}

/** Side of the square pictures that a policy looks at. @throws ConfigError when they are not square or differ in size */
export function pictureSize({ policyId, cameras }: PolicySpec): number {
  const size = cameras[0]?.height ?? 64;
  const odd = cameras.find(({ height, width }) => height !== size || width !== size);
  if (!odd) return size;
  throw new ConfigError(
    `policy "${policyId}": pictures must be square and of one size, got ${odd.height} x ${odd.width}. Retrain it so.`,
  );
}

/** One chunk of a policy: f32[L, A]. */
export type Answer = { readonly actions: Float32Array; readonly length: number };

/**
 * Checks what a policy returned, one chunk for each of the named observations; the first `steps` actions of each are to
 * be executed.
 *
 * @param names what each observation belongs to, for messages
 */
export function readChunks(
  chunks: readonly ActionChunk[] | undefined,
  { policyId, space }: PolicySpec,
  steps: number,
  names: readonly string[],
): Answer[] {
  const subject = `policy "${policyId}"`;
  if (!Array.isArray(chunks) || chunks.length !== names.length) {
    throw new ShapeError(
      `${subject}: must return one chunk for each of ${names.length} observations, got ${chunks?.length ?? "none"}. Mend it.`,
    );
  }
  const size = space.names.length;
  return chunks.map((chunk: ActionChunk | undefined, row) => {
    const { actions, length } = chunk ?? {};
    if (
      !(actions instanceof Float32Array) ||
      length === undefined ||
      length < steps ||
      actions.length !== length * size
    ) {
      const got = actions instanceof Float32Array ? `f32[${actions.length}] as ${length} steps` : typeof actions;
      throw new ShapeError(
        `${subject}: chunks must be f32[L, ${size}] with L of at least ${steps}, got ${got} in ${names[row]}. Mend it.`,
      );
    }
    const bad = actions.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const place = `"${space.names[bad % size]}" of step ${Math.floor(bad / size)}`;
      throw new UserError(
        `${subject}: actions must be finite, got ${actions[bad]} for ${place} in ${names[row]}. Its weights may have diverged.`,
      );
    }
    // A copy: a policy may use its arrays again.
    return { actions: actions.slice(), length };
  });
}
