import { z } from "zod";
import { UserError } from "#core/errors.ts";
import { readShardCommand, shardFolder } from "#datasets/shard-folder.ts";
import { defineCommand } from "../command.ts";
import { mergeLabel } from "../quantizer/label.ts";
import { mergeClips } from "./clips.ts";
import { mergeConvert } from "./convert.ts";
import { mergeSimulate } from "./simulate.ts";

const merges = { clips: mergeClips, convert: mergeConvert, simulate: mergeSimulate, label: mergeLabel };

export const merge = defineCommand({
  summary: "joins the shards of clips, convert, simulate or quantizer label; refuses gaps, doubles and damage",
  config: z.strictObject({ out: z.string().describe("the --out of the shards") }),
  positionals: ["out"],
  example: "datasets merge data/bridge-lerobot",
  async run({ out }, context) {
    const { command, config } = await readShardCommand(out);
    const known = Object.entries(merges).find(([name]) => name === command);
    if (!known)
      throw new UserError(
        `${shardFolder(out)}: must be shards of clips, convert, simulate or label, got "${command}".`,
      );
    // The place may have been moved, or be named from another folder.
    await known[1]({ ...config, out }, context);
  },
});
