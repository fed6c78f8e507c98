/** @file Builds the addon of @tensorflow/tfjs-node-gpu from its own source against the TensorFlow that was set up. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError, UserError } from "#core/errors.ts";
import { tfjsNodeAddon, tfjsNodeFolder } from "../eager/tfjs-node.ts";
import type { Library } from "./library-record.ts";

function nodeHeaders(): string {
  const places = [join(dirname(dirname(process.execPath)), "include", "node"), "/usr/include/node"];
  const found = places.find((folder) => existsSync(join(folder, "node_api.h")));
  if (found !== undefined) return found;
  throw new ConfigError(
    `engine setup: --native needs Node's headers (node_api.h), found none in ${places.join(", ")}.`,
  );
}

/**
 * Compiles the addon; TensorFlow.js then calls TensorFlow without koffi.
 *
 * @returns its path
 * @throws UserError when a compiler or headers are missing; an addon built before stays
 */
export function buildAddon(library: Library): string {
  const [framework, core] = library.files.map(({ path }) => path) as [string, string];
  const folder = dirname(core);
  const include = join(folder, "include");
  if (!existsSync(join(include, "tensorflow", "c", "c_api.h"))) {
    throw new ConfigError(
      `engine setup: --native needs TensorFlow's headers, and ${include} has none. Set up without --from.`,
    );
  }
  const path = tfjsNodeAddon();
  const temporary = `${path}.${process.pid}.tmp`;
  mkdirSync(dirname(path), { recursive: true });
  const source = join(tfjsNodeFolder(), "binding");
  const words = [
    ...["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=8", "-w"],
    ...["-I", nodeHeaders(), "-I", include],
    ...[join(source, "tfjs_backend.cc"), join(source, "tfjs_binding.cc"), core, framework],
    ...[`-Wl,-rpath,${folder}`, "-o", temporary],
  ];
  const { status, error, stderr } = spawnSync("c++", words, { encoding: "utf8" });
  if (error !== undefined) {
    throw new ConfigError('engine setup: --native needs a C++ compiler ("c++"), and there is none on the PATH.');
  }
  if (status !== 0) {
    rmSync(temporary, { force: true });
    const line = stderr.split("\n").find((text) => text.includes("error")) ?? stderr.trim().split("\n").at(-1);
    throw new UserError(`engine setup: the addon could not be built: ${line}.`);
  }
  renameSync(temporary, path);
  return path;
}
