import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const tfjsNode = "@tensorflow/tfjs-node-gpu";

/** The folder of @tensorflow/tfjs-node-gpu. */
export const tfjsNodeFolder = (): string => dirname(createRequire(import.meta.url).resolve(`${tfjsNode}/package.json`));

/** The compiled addon, which `engine setup tensorflow --native` makes. */
export const tfjsNodeAddon = (): string => join(tfjsNodeFolder(), "lib", "napi-v8", "tfjs_binding.node");
