/** @file The list of chosen clips beside or apart from their videos: `clips.jsonl`, one clip a line. */
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import { writeWhole } from "#core/write-whole.ts";
import type { ClipSource } from "../clip-source.ts";

export const clipListName = "clips.jsonl";

const lineSchema = z.strictObject({
  name: z.string().min(1),
  /** Path of the video, relative to the list's folder, or absolute. */
  file: z.string().min(1),
  caption: z.string().optional(),
  startS: z.number().optional(),
  endS: z.number().optional(),
});

/** Writes the list whole; videos are named relative to its folder, so that both can be moved together. */
export function writeClipList(path: string, clips: readonly ClipSource[]): void {
  const folder = dirname(resolve(path));
  const lines = clips.map(({ path: file, ...clip }) =>
    JSON.stringify({ ...clip, file: relative(folder, resolve(file)) }),
  );
  writeWhole(path, lines.map((line) => `${line}\n`).join(""));
}

/** @throws FormatError for a line that is no clip, or a name that is there twice */
export async function readClipList(path: string): Promise<ClipSource[]> {
  const seen = new Set<string>();
  const lines = (await readFile(path, "utf8")).split("\n").map((line, index) => [line, index + 1] as const);
  return lines
    .filter(([line]) => line.trim() !== "")
    .map(([line, number]): ClipSource => {
      const { name, file, caption, startS, endS } = parseLine(path, line, number);
      if (seen.has(name)) throw new FormatError(path, `line ${number}: the name "${name}" is there twice.`);
      seen.add(name);
      return {
        ...{ name, path: isAbsolute(file) ? file : join(dirname(path), file) },
        ...(caption === undefined ? {} : { caption }),
        ...(startS === undefined ? {} : { startS }),
        ...(endS === undefined ? {} : { endS }),
      };
    });
}

function parseLine(path: string, line: string, number: number): z.infer<typeof lineSchema> {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new FormatError(path, `line ${number} must be a clip, got ${line.slice(0, 60)}. Was the file cut?`, {
      cause,
    });
  }
}
