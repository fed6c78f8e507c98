import { existsSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { parseConfig } from "#core/config/resolve.ts";
import { UserError } from "#core/errors.ts";
import type { HostArray, Tree } from "../tree.ts";
import { type Model, readModel } from "./checkpoint.ts";
import { bestCheckpoint } from "./checkpoint-folder.ts";

export type OpenedModel<Config> = Omit<Model, "config"> & {
  readonly config: Config;
  /** Averaged weights where the run kept them, else the last ones. */
  readonly weights: Tree<HostArray>;
};

/**
 * Opens a checkpoint folder, or the best checkpoint of a run folder, whose configuration must fit `schema`.
 *
 * @throws UserError when there is no checkpoint; FormatError when it is damaged; ConfigError when it is of another kind
 */
export async function openModel<S extends z.ZodType>(path: string, schema: S): Promise<OpenedModel<z.infer<S>>> {
  const checkpoints = join(path, "checkpoints");
  const folder = existsSync(checkpoints) ? bestCheckpoint(checkpoints)?.path : path;
  if (folder === undefined || !existsSync(folder)) {
    throw new UserError(
      `checkpoint: ${path} must be a run or a checkpoint, but holds none. Train first or check the path.`,
    );
  }
  const model = await readModel(folder);
  const config = parseConfig(schema, model.config, `checkpoint ${folder}`);
  return { ...model, config, weights: model.ema ?? model.parameters };
}
