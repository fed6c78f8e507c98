/**
 * @file Videos as raw frames on disk, so that training never waits for a decoder. Every clip is decoded once into one
 * file, named by what decides its pixels (content hash, range, size, fit, decoder), written under a temporary name and
 * renamed: any number of processes may share a folder, and a kill in the middle leaves nothing but a part file, which
 * a later run removes. Reads are positional; the page cache of the system does the rest.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { FormatError, UserError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import {
  clipFileName,
  listClipFiles,
  readClipFile,
  removeClipFiles,
  removeStaleParts,
  writeClipFile,
} from "./clip-file.ts";
import type { ClipSource } from "./clip-source.ts";
import { createContentHashes } from "./content-hash.ts";
import { forEachParallel } from "./parallel.ts";
import type { Fit } from "./video/decode.ts";
import { requireVideoFile } from "./video/video-error.ts";

export type { ClipSource } from "./clip-source.ts";

export type CachedClip = {
  readonly name: string;
  readonly path: string;
  /** T */
  readonly frames: number;
  /** f64[T] presentation times in seconds, increasing. */
  readonly timestampsS: Float64Array;
  readonly caption?: string;
  /** SHA-256 of the video file, hex; with a range also "@start-end". */
  readonly hash: string;
};

export type ClipProblem = { readonly path: string; readonly message: string };

export interface FrameCache {
  /** Side of every frame in pixels. */
  readonly size: number;
  /** In the order of the sources, without the ones that have a problem. */
  readonly clips: readonly CachedClip[];
  /** Sources that could not be used, and why; in the order of the sources. */
  readonly problems: readonly ClipProblem[];
  /**
   * Copies one frame, u8[size, size, 3], to `out` at `offset`. A few microseconds; throws RangeError for a frame that
   * is not there or an `out` that is too small.
   *
   * @param clip index into `clips`
   */
  read(clip: number, frame: number, out: Uint8Array, offset: number): void;
  close(): void;
}

export type FrameCacheOptions = {
  readonly size: number;
  /** Default "crop": the middle of the picture. */
  readonly fit?: Fit;
  /** Folder of the cache; made when it is not there. */
  readonly directory: string;
  /** Clips decoded at a time; default: one per core, at most 4. */
  readonly workers?: number;
  /** Files of earlier runs are removed, oldest first, when all together are larger; default 20 GiB. */
  readonly limitBytes?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

const defaultWorkers = Math.min(4, availableParallelism());
const defaultLimitBytes = 20 * 2 ** 30;
/** Open files at a time; far below what every system allows. */
const openFiles = 512;

type Entry = { readonly clip: CachedClip; readonly file: string };

/**
 * Decodes what is not in the cache yet and opens all clips for reading.
 *
 * @throws NoUsableVideo when no clip is (with the first reasons); UserError when the clips together are larger than the limit
 */
export async function openFrameCache(sources: readonly ClipSource[], options: FrameCacheOptions): Promise<FrameCache> {
  const { size, directory, workers = defaultWorkers, limitBytes = defaultLimitBytes, onProgress } = options;
  if (!Number.isInteger(size) || size < 1)
    throw new UserError(`cache: size must be a whole number of pixels, got ${size}.`);
  await mkdir(directory, { recursive: true }).catch((cause) => {
    throw writeFailure(directory, cause);
  });
  await removeStaleParts(directory);
  const hashes = await createContentHashes(directory);
  const found: (Entry | ClipProblem)[] = new Array(sources.length);
  let usedBytes = 0;
  let done = 0;
  await forEachParallel(sources, workers, async (source, index) => {
    try {
      found[index] = await prepareClip(source, options, hashes.of);
    } catch (error) {
      // Anything else (a full disk, no ffmpeg, an abort) is no fault of this clip and would meet the next one too.
      if (!(error instanceof FormatError)) throw error;
      found[index] = { path: source.path, message: error.message };
    }
    const entry = found[index];
    if ("clip" in entry) usedBytes += entry.clip.frames * size * size * 3;
    if (usedBytes > limitBytes) {
      throw new UserError(
        `cache: the frames of ${sources.length} clips at ${size} pixels must fit into ${gigabytes(limitBytes)}, but the first ${done + 1} need ${gigabytes(usedBytes)}. Raise the limit, or use fewer clips or smaller frames.`,
      );
    }
    done++;
    onProgress?.(done, sources.length);
  });
  const entries = found.filter((entry): entry is Entry => "clip" in entry);
  const problems = found.filter((entry): entry is ClipProblem => "message" in entry);
  if (entries.length === 0) throw new NoUsableVideo(problems);
  await keepWithin(directory, limitBytes, new Set(entries.map((entry) => entry.file)));
  return createCache(size, entries, problems);
}

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** Nothing of what was named can be decoded. */
export class NoUsableVideo extends UserError {
  readonly problems: readonly ClipProblem[];

  constructor(problems: readonly ClipProblem[]) {
    const shown = problems.slice(0, 5).map((problem) => `\n  ${problem.message}`);
    const more = problems.length > 5 ? `\n  and ${problems.length - 5} more` : "";
    super(
      problems.length === 0
        ? "cache: expected at least one video, got none. Name a folder with videos."
        : `cache: none of ${problems.length} videos can be used:${shown.join("")}${more}`,
    );
    this.problems = problems;
  }
}

async function prepareClip(
  source: ClipSource,
  { size, fit = "crop", directory, workers = defaultWorkers, signal }: FrameCacheOptions,
  hashOf: (path: string, signal?: AbortSignal) => Promise<string>,
): Promise<Entry> {
  const { name, path, caption, startS, endS } = source;
  const range = startS === undefined && endS === undefined ? "" : `@${startS ?? ""}-${endS ?? ""}`;
  await requireVideoFile(path);
  const hash = `${await hashOf(path, signal)}${range}`;
  const file = clipFileName(directory, { hash, size, fit });
  const content =
    (await readClipFile(file, size)) ??
    (await writeClipFile(file, path, {
      size,
      fit,
      // Clips side by side use the cores better than the threads of one decoder, which cost a fifth more.
      threads: Math.max(1, Math.floor(availableParallelism() / workers)),
      ...(startS === undefined ? {} : { startS }),
      ...(endS === undefined ? {} : { endS }),
      ...(signal === undefined ? {} : { signal }),
    }));
  const { timestampsS } = content;
  const clip = {
    name,
    path,
    frames: timestampsS.length,
    timestampsS,
    hash,
    ...(caption === undefined ? {} : { caption }),
  };
  return { clip, file };
}

/** Removes the files that were not used for longest until the rest fits; never one of `inUse`. */
async function keepWithin(directory: string, limitBytes: number, inUse: ReadonlySet<string>): Promise<void> {
  const files = await listClipFiles(directory);
  let total = files.reduce((sum, file) => sum + file.bytes, 0);
  const removed: string[] = [];
  for (const file of files.filter(({ path }) => !inUse.has(path)).sort((left, right) => left.usedMs - right.usedMs)) {
    if (total <= limitBytes) break;
    removed.push(file.path);
    total -= file.bytes;
  }
  await removeClipFiles(removed);
}

function createCache(size: number, entries: readonly Entry[], problems: readonly ClipProblem[]): FrameCache {
  const frameBytes = size * size * 3;
  const open = new Map<number, number>();
  let closed = false;

  const descriptorOf = (clip: number): number => {
    const known = open.get(clip);
    if (known !== undefined) return known;
    if (closed) throw new Error("frame cache: read after close");
    const oldest = open.size >= openFiles ? open.keys().next().value : undefined;
    if (oldest !== undefined) {
      closeSync(open.get(oldest)!);
      open.delete(oldest);
    }
    const descriptor = openClip(entries[clip]!);
    open.set(clip, descriptor);
    return descriptor;
  };

  return {
    size,
    clips: entries.map((entry) => entry.clip),
    problems,
    read(clip, frame, out, offset) {
      const frames = entries[clip]?.clip.frames ?? 0;
      if (!(frame >= 0 && frame < frames)) {
        throw new RangeError(`frame cache: clip ${clip} has ${frames} frames, asked for frame ${frame}`);
      }
      if (out.length - offset < frameBytes) {
        throw new RangeError(`frame cache: a frame needs ${frameBytes} bytes, got ${out.length - offset}`);
      }
      const read = readSync(descriptorOf(clip), out, offset, frameBytes, frame * frameBytes);
      if (read !== frameBytes)
        throw new UserError(`${entries[clip]!.file}: the cache file was cut. Delete it and start again.`);
    },
    close() {
      closed = true;
      for (const descriptor of open.values()) closeSync(descriptor);
      open.clear();
    },
  };
}

function openClip({ file, clip }: Entry): number {
  try {
    return openSync(file, "r");
  } catch (cause) {
    throw new UserError(
      `${file}: the cached frames of ${clip.name} must stay while they are read, but another run removed them. Raise the cache limit and start again.`,
      { cause },
    );
  }
}
