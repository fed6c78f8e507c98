import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { FormatError } from "#core/errors.ts";
import { type Compiled, compile, type Executor, tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import type { FrozenModel } from "./frozen-model.ts";
import { type GraphNode, unfuseGraph } from "./unfuse-graph.ts";

type GraphFile = {
  readonly format?: string;
  readonly modelTopology: { readonly node: readonly GraphNode[] };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly tf.io.WeightsManifestEntry[];
  }[];
};

function readGraph(path: string): GraphFile {
  try {
    const file = JSON.parse(readFileSync(path, "utf8")) as GraphFile;
    if (Array.isArray(file.modelTopology.node) && Array.isArray(file.weightsManifest)) return file;
    throw new Error(`format is ${file.format ?? "unknown"}`);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new FormatError(path, `must be the model.json of a TensorFlow.js graph model, but is not (${why}).`, {
      cause,
    });
  }
}

/**
 * Files of a graph model besides its model.json, in order: its weights.
 *
 * @throws FormatError when the file is no graph model, or a file of weights is missing
 */
export function weightFiles(path: string): string[] {
  const files = readGraph(path).weightsManifest.flatMap(({ paths }) => paths.map((name) => join(dirname(path), name)));
  const missing = files.find((file) => !existsSync(file));
  if (missing === undefined) return files;
  throw new FormatError(missing, `must be there: ${path} keeps weights in it. Copy the whole folder of the model.`);
}

/** The graph with pictures of another size where one is asked for; convolutions take any. */
function withSize(nodes: readonly GraphNode[], size: number): GraphNode[] {
  const dim = [-1, size, size, 3].map((side) => ({ size: String(side) }));
  return nodes.map((node) =>
    node.op === "Placeholder" && size > 0 ? { ...node, attr: { ...node.attr, shape: { shape: { dim } } } } : node,
  );
}

function sideOf(path: string, shape: readonly number[] | undefined): number {
  const [, height, width, channels] = shape ?? [];
  if (shape?.length === 4 && height === width && height! > 0 && channels === 3) return height!;
  throw new FormatError(
    path,
    `must take square pictures [B, H, H, 3], takes [${shape?.join(", ")}]. Set imageEncoder.size where the side is free.`,
  );
}

/** @throws FormatError when the weights are cut */
function requireWeights(path: string, { weightsManifest }: GraphFile, got: number): void {
  const bytesOf = ({ shape, dtype, quantization }: tf.io.WeightsManifestEntry) =>
    shape.reduce((product, side) => product * side, 1) * (sizes[quantization?.dtype ?? dtype] ?? Number.NaN);
  const needed = weightsManifest.flatMap(({ weights }) => weights).reduce((sum, entry) => sum + bytesOf(entry), 0);
  // Texts have no fixed size.
  if (Number.isNaN(needed) || needed === got) return;
  throw new FormatError(path, `must have ${needed} bytes of weights beside it, has ${got}. Copy the model again.`);
}

const sizes: Readonly<Record<string, number>> = {
  ...{ float32: 4, int32: 4, complex64: 8, float16: 2, uint16: 2, uint8: 1, bool: 1 },
};

const batch = 16;

/**
 * Opens a TensorFlow.js graph model as a program of the engine: its operations are traced and compiled at first use, once
 * for single pictures and once for many.
 *
 * @param output name of the tensor to take; empty: the model's only output
 * @param size side of the pictures; 0: as the file says
 * @throws FormatError when the file is no graph model of pictures; UserError when it has an operation that the engine lacks
 */
export async function openGraphModel(
  path: string,
  { output, size, executor }: { output: string; size: number; executor: Executor },
): Promise<FrozenModel> {
  const file = readGraph(path);
  const weights = Buffer.concat(weightFiles(path).map((part) => readFileSync(part)));
  requireWeights(path, file, weights.byteLength);
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology: { ...file.modelTopology, node: withSize(unfuseGraph(file.modelTopology.node, path), size) },
    weightSpecs: file.weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer,
  };
  const graph = withBackend("cpu", () => tf.loadGraphModelSync(tf.io.fromMemorySync(artifacts)));
  const [input] = graph.inputs;
  const side = sideOf(path, input?.shape);
  const compileFor = (rows: number) =>
    compile(
      (_, { pixels }) => {
        const told = graph.execute({ [input!.name]: pixels! }, output === "" ? undefined : output);
        if (Array.isArray(told)) {
          const names = graph.outputs.map(({ name }) => name).join(", ");
          throw new FormatError(path, `must give one tensor, gives ${names}. Choose one with imageEncoder.output.`);
        }
        return { outputs: { told: told as tf.Tensor } };
      },
      {
        ...{ name: "graph-encoder", state: {}, executor },
        inputs: { pixels: { shape: [rows, side, side, 3], dtype: "float32" } },
      },
    );
  const programs = new Map<number, Promise<Compiled>>();
  return {
    ...{ size: side, channelsFirst: false, batch },
    run: async (pixels, count) => {
      const rows = count === 1 ? 1 : batch;
      const program = programs.get(rows) ?? compileFor(rows);
      programs.set(rows, program);
      const given = new Float32Array(rows * side * side * 3);
      given.set(pixels);
      const { told } = await (await program).run({ pixels: given });
      const { shape: dims, data, dtype } = told!;
      return { dims, data: Float32Array.from(data), codes: dtype === "int32" };
    },
    dispose: async () => {
      const made = await Promise.allSettled(programs.values());
      for (const one of made) if (one.status === "fulfilled") await one.value.dispose();
      graph.dispose();
    },
  };
}
