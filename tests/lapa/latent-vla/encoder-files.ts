/** @file Small frozen encoders, written as the files that they come in. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeOnnx } from "#engine/executors/onnx/onnx-file.ts";
import { exportOnnx, tf } from "#engine/index.ts";

/** Mean colour of each quarter of a 16 x 16 picture, as [1, 2, 2, 3], or whether it is bright, as codes [1, 4]. */
export function writeImageEncoder(folder: string, kind: "maps" | "codes"): string {
  const file = join(folder, `${kind}.onnx`);
  const bytes = exportOnnx(
    (_state, { pixels }) => {
      const quarters = tf.avgPool(pixels as tf.Tensor4D, 8, 8, "valid"); // [1, 2, 2, 3]
      const bright = tf.cast(tf.greater(tf.mean(quarters, 3), 0), "int32");
      const tokens = kind === "maps" ? quarters : tf.reshape(bright, [1, 4]);
      return { outputs: { tokens: tokens as tf.Tensor } };
    },
    { name: kind, state: {}, inputs: { pixels: { shape: [1, 16, 16, 3], dtype: "float32" } } },
  );
  writeFileSync(file, bytes);
  return file;
}

export const pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "push", "##ing", "the", "block", "!"];

/** Vector of piece p: [p, -p]; takes token ids alone. */
export function writeTextEncoder(folder: string, length: number): string {
  const file = join(folder, "text.onnx");
  const table = Float32Array.from(pieces.flatMap((_, index) => [index, -index]));
  const bytes = encodeOnnx({
    name: "text",
    nodes: [{ type: "Gather", inputs: ["table", "input_ids"], outputs: ["hidden"], attributes: {}, domain: "" }],
    constants: [{ name: "table", type: "float32", shape: [pieces.length, 2], raw: new Uint8Array(table.buffer) }],
    inputs: [{ name: "input_ids", type: "int64", shape: [1, length] }],
    outputs: [{ name: "hidden", type: "float32", shape: [1, length, 2] }],
  });
  writeFileSync(file, bytes);
  writeFileSync(join(folder, "vocab.txt"), pieces.join("\n"));
  return file;
}
