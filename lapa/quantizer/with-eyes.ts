import type { Executor } from "#engine/index.ts";
import { openEyes } from "./eyes.ts";
import type { Quantizer } from "./runner.ts";

/**
 * Works with a quantizer whose frozen encoder, where its stem is one, is open meanwhile.
 *
 * @throws UserError when the encoder's file is missing or not the one that was trained with
 */
export async function withEyes<T>(
  quantizer: Quantizer,
  executor: Executor,
  work: (quantizer: Quantizer) => Promise<T>,
): Promise<T> {
  if (quantizer.config.model.stem !== "encoder" || quantizer.eyes) return work(quantizer);
  const eyes = await openEyes(quantizer.config.model, executor);
  try {
    return await work({ ...quantizer, eyes });
  } finally {
    await eyes.dispose();
  }
}
