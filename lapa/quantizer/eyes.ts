/** @file Frozen encoders before the network: outside of the compiled step, their features come in with the batch. */
import type { VisionEncoder } from "#core/contracts/vision.ts";
import { FormatError, UserError } from "#core/errors.ts";
import type { Executor, InputSpec } from "#engine/index.ts";
import { needsEyes, type QuantizerModelConfig } from "./config.ts";
import { type FrozenEncoder, openFrozenEncoder } from "./frozen-encoder.ts";

/**
 * Opens the encoder that a quantizer looks through.
 *
 * @throws UserError when the file is missing or not the one that was trained with; FormatError when it gives no features
 */
export async function openEyes(config: QuantizerModelConfig, executor: Executor): Promise<FrozenEncoder> {
  const eyes = await openFrozenEncoder(config, executor);
  if (eyes.config.width > 0) return eyes;
  await eyes.dispose();
  throw new FormatError(
    config.imageEncoder.file,
    "must give features, gives whole numbers: codes have no distance to learn from. Choose the output before them.",
  );
}

/** The input `features` of a compiled function, where a frozen encoder is looked through. */
export function featureSpecs(config: QuantizerModelConfig, batch: number): Record<string, InputSpec> {
  if (!needsEyes(config)) return {};
  const { tokens, width } = config.imageEncoder;
  return { features: { shape: [batch, 2, tokens, width], dtype: "float32" } };
}

/**
 * Features of frames, f32[B, 2, N, F]; nothing where the model looks at pixels.
 *
 * @param frames u8[B, 2, size, size, 3]
 * @throws UserError when the model needs an encoder and none was opened
 */
export async function seeFeatures(
  config: QuantizerModelConfig,
  eyes: VisionEncoder | undefined,
  frames: Uint8Array,
): Promise<Record<string, Float32Array>> {
  if (!needsEyes(config)) return {};
  if (eyes === undefined) {
    throw new UserError(
      `quantizer: looks through ${config.imageEncoder.file}, which was not opened. Open the encoder and give it to the quantizer.`,
    );
  }
  const size = config.imageSize ** 2 * 3;
  const images = Array.from({ length: frames.length / size }, (_, row) => ({
    ...{ data: frames.subarray(row * size, (row + 1) * size), height: config.imageSize, width: config.imageSize },
  }));
  return { features: await eyes.encode(images) };
}
