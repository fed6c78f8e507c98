import { z } from "zod";
import { writeGallery } from "#world/index.ts";
import { defineCommand } from "../command.ts";

export const galleryCommand = defineCommand({
  summary: "draws contact sheets of every suite, body, camera and level of variation, and films one video each",
  config: z.strictObject({
    out: z.string().default("runs/gallery").describe("folder of the pictures and of index.html"),
    size: z.number().int().min(16).max(1024).multipleOf(2).default(224).describe("side of each picture, pixels"),
    seed: z.number().int().min(0).default(4).describe("which tasks are shown"),
  }),
  positionals: ["out"],
  example: "world gallery runs/gallery --size 320",
  async run({ out, size, seed }, { log, signal, print, result }) {
    const page = await writeGallery({ directory: out, size, seed, onFile: log.info, signal });
    print(page);
    result({ page });
  },
});
