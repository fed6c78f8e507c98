import { mkdirSync } from "node:fs";
import { dirname, extname } from "node:path";
import { z } from "zod";
import { encodePng } from "#core/image/png.ts";
import { writeWhole } from "#core/write-whole.ts";
import { drawModelFile } from "#world/index.ts";
import { defineCommand } from "../command.ts";

export const drawCommand = defineCommand({
  summary: "reads any MJCF or URDF with its meshes, as the simulator does, and draws it",
  config: z.strictObject({
    model: z.string().describe("an MJCF or URDF file; meshes and included files are looked for beside it"),
    out: z.string().default("").describe("the PNG file; default: the model's name"),
    size: z.number().int().min(16).max(2048).default(640).describe("side of the picture, pixels"),
  }),
  positionals: ["model", "out"],
  example: "world draw robots/so_arm100.xml arm.png",
  async run({ model, out, size }, { print, result }) {
    const path = out || `${model.slice(0, model.length - extname(model).length)}.png`;
    const image = await drawModelFile(model, size);
    mkdirSync(dirname(path), { recursive: true });
    writeWhole(path, encodePng(image));
    print(path);
    result({ path });
  },
});
