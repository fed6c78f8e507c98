/** @file A TensorFlow.js graph model small enough to check by hand: means of 4 x 4 patches, moved and cut off at 0. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const float = { type: "DT_FLOAT" };

/** Writes `relu(mean over 4 x 4 of r, 2 g, b + bias)`, [B, 16, 16, 3] to [B, 4, 4, 3]. @returns path of its model.json */
export function writeGraphModel(
  folder: string,
  { bias = [0, 0, -1], fused = ["BiasAdd", "Relu"], side = 16 } = {},
): string {
  mkdirSync(folder, { recursive: true });
  const filter = new Float32Array(4 * 4 * 3 * 3);
  for (let at = 0; at < 16; at++) {
    for (let channel = 0; channel < 3; channel++)
      filter[(at * 3 + channel) * 3 + channel] = (channel === 1 ? 2 : 1) / 16;
  }
  const shape = (sizes: number[]) => ({ shape: { dim: sizes.map((size) => ({ size: String(size) })) } });
  const node = [
    { name: "pictures", op: "Placeholder", attr: { dtype: float, shape: shape([-1, side, side, 3]) } },
    { name: "filter", op: "Const", attr: { dtype: float, value: { tensor: { dtype: "DT_FLOAT", tensorShape: {} } } } },
    { name: "bias", op: "Const", attr: { dtype: float, value: { tensor: { dtype: "DT_FLOAT", tensorShape: {} } } } },
    {
      name: "means",
      op: "_FusedConv2D",
      input: ["pictures", "filter", "bias"],
      attr: {
        T: float,
        strides: { list: { i: ["1", "4", "4", "1"] } },
        dilations: { list: { i: ["1", "1", "1", "1"] } },
        padding: { s: base64("VALID") },
        data_format: { s: base64("NHWC") },
        num_args: { i: "1" },
        fused_ops: { list: { s: fused.map(base64) } },
      },
    },
    { name: "features", op: "Identity", input: ["means"], attr: { T: float } },
  ];
  const weights = [
    { name: "filter", shape: [4, 4, 3, 3], dtype: "float32" },
    { name: "bias", shape: [3], dtype: "float32" },
  ];
  const path = join(folder, "model.json");
  const weightsManifest = [{ paths: ["weights.bin"], weights }];
  writeFileSync(
    path,
    JSON.stringify({ format: "graph-model", modelTopology: { node, versions: { producer: 27 } }, weightsManifest }),
  );
  writeFileSync(
    join(folder, "weights.bin"),
    Buffer.concat([Buffer.from(filter.buffer), Buffer.from(Float32Array.from(bias).buffer)]),
  );
  return path;
}
