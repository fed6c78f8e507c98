import { z } from "zod";
import { ConfigError } from "#core/errors.ts";
import { buildAddon, defaultCacheFolder, setupTensorflow, setupXla } from "#engine/index.ts";
import { defineCommand } from "../command.ts";

export const engineSetup = defineCommand({
  summary: "brings TensorFlow or an XLA plugin for faster training; nothing is installed without this command",
  config: z.strictObject({
    engine: z.enum(["tensorflow", "xla"]).describe("which engine"),
    from: z.string().default("").describe("library, folder or wheel to use; by default pip brings a pinned wheel"),
    gpu: z.boolean().default(false).describe("the library for NVIDIA GPUs, with CUDA (2 to 3 GB)"),
    native: z
      .boolean()
      .default(false)
      .describe("also build @tensorflow/tfjs-node-gpu's addon from source (tensorflow; needs a C++ compiler)"),
  }),
  positionals: ["engine"],
  example: "engine setup tensorflow",
  async run({ engine, from, gpu, native }, { log, signal, print, result }) {
    if (native && engine !== "tensorflow") throw new ConfigError("engine setup: --native goes with tensorflow alone.");
    const cacheFolder = defaultCacheFolder();
    const setup = engine === "xla" ? setupXla : setupTensorflow;
    const library = await setup({ cacheFolder, gpu, signal, log, ...(from === "" ? {} : { from }) });
    for (const { path, bytes, sha256 } of library.files) {
      print(`${path}: ${Math.round(bytes / 1e6)} MB, SHA-256 ${sha256.slice(0, 16)}...`);
    }
    print(`${engine}: works; --engine.kind auto and ${engine} use it`);
    const addon = native ? buildAddon(library) : undefined;
    if (addon !== undefined) print(`${addon}: built; @tensorflow/tfjs-node-gpu now runs on this TensorFlow`);
    result({ engine, ...library, addon });
  },
});
