import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { FormatError, UserError } from "#core/errors.ts";
import type { ClipSource } from "./clip-source.ts";
import { clipListName, readClipList } from "./clips/clip-list.ts";

const videoExtensions = new Set([
  ".mp4",
  ".m4v",
  ".mov",
  ".mkv",
  ".webm",
  ".avi",
  ".ts",
  ".mts",
  ".mpg",
  ".mpeg",
  ".wmv",
  ".flv",
  ".3gp",
  ".ogv",
]);

/**
 * Lists the videos of a folder and its sub-folders, sorted by path, with their captions where there are any:
 * `captions.jsonl` in the folder (`{"file": "path/in/the/folder.mp4", "caption": "..."}` a line), or a text file of the
 * same name beside the video, which wins. A folder with `clips.jsonl` (as `datasets clips` writes it) stands for the
 * clips in that list alone.
 *
 * @throws UserError when the folder is missing or holds no video; FormatError for a line of captions that is not one
 */
export async function listVideoFolder(folder: string): Promise<ClipSource[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw new UserError(`videos: ${folder} must be a folder, but cannot be listed (${cause.code}). Check the path.`, {
      cause,
    });
  });
  const files = new Set(
    entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .filter((name) => !name.split("/").some((part) => part.startsWith("."))),
  );
  if (files.has(clipListName)) return readClipList(join(folder, clipListName));
  const videos = [...files].filter((name) => videoExtensions.has(extname(name).toLowerCase())).sort();
  if (videos.length === 0) {
    throw new UserError(
      `videos: ${folder} must hold videos (${[...videoExtensions].slice(0, 6).join(", ")}, ...), but there is none. Name another folder.`,
    );
  }
  const captions = files.has("captions.jsonl") ? await readCaptions(join(folder, "captions.jsonl")) : new Map();
  return Promise.all(
    videos.map(async (name): Promise<ClipSource> => {
      const beside = `${name.slice(0, -extname(name).length)}.txt`;
      const caption = files.has(beside) ? (await readFile(join(folder, beside), "utf8")).trim() : captions.get(name);
      return { name, path: join(folder, name), ...(caption ? { caption } : {}) };
    }),
  );
}

async function readCaptions(path: string): Promise<Map<string, string>> {
  const captions = new Map<string, string>();
  for (const [index, line] of (await readFile(path, "utf8")).split("\n").entries()) {
    if (line.trim() === "") continue;
    const { file, caption } = parseLine(line);
    if (typeof file !== "string" || typeof caption !== "string") {
      throw new FormatError(
        path,
        `line ${index + 1} must be {"file": ..., "caption": ...}, got ${line.slice(0, 60)}. Correct the line.`,
      );
    }
    captions.set(file, caption.trim());
  }
  return captions;
}

function parseLine(line: string): { file?: unknown; caption?: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
