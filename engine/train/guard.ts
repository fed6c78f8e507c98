import { UserError } from "#core/errors.ts";
import { latestCheckpoint } from "../checkpoint/checkpoint-folder.ts";
import { type Batch, fingerprint } from "./batches.ts";
import type { Scalars } from "./scalars.ts";

/** A loss this many times the largest of the first steps is an explosion. */
const explosionFactor = 100;
const firstSteps = 20;

/** Looks at the numbers of every batch before a state that they spoilt can be saved. */
export type Guard = (step: number, scalars: Scalars, batch: Batch, learningRate: number) => void;

/** @returns a guard that throws a UserError when the loss or the gradient is not finite, or the loss explodes */
export function createGuard(name: string, checkpoints: string): Guard {
  let reference = 0;
  let seen = 0;
  return (step, { loss, gradNorm }, batch, learningRate) => {
    const exploded = seen >= firstSteps && loss! > explosionFactor * reference;
    if (Number.isFinite(loss) && Number.isFinite(gradNorm) && !exploded) {
      if (seen++ < firstSteps) reference = Math.max(reference, Math.abs(loss!));
      return;
    }
    const good = latestCheckpoint(checkpoints);
    const from = good === undefined ? "No checkpoint was saved yet." : `The last good checkpoint is ${good.path}.`;
    throw new UserError(
      `train "${name}": step ${step} gave loss ${loss} and gradient norm ${gradNorm}` +
        `${exploded ? `, more than ${explosionFactor} times the first losses` : ""} ` +
        `(batch ${fingerprint(batch)}, learning rate ${learningRate}). ${from} Lower the learning rate or look at the batch.`,
    );
  };
}
