import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** @file Sending one file: streamed, with byte ranges, so that a browser seeks in a video without loading it whole. */

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".mkv": "video/x-matroska",
};

export const contentType = (path: string) => contentTypes[extname(path).toLowerCase()] ?? "application/octet-stream";

/** A request that the server answers with this status and a sentence. */
export class HttpProblem extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Resolves a relative name inside `root`.
 *
 * @returns the absolute path, or `null` when the name would leave `root`, is absolute or holds a NUL byte or backslash
 */
export function pathInside(root: string, name: string): string | null {
  if (name.includes("\0") || name.includes("\\") || name.startsWith("/")) return null;
  const path = resolve(root, name);
  return isInside(root, path) ? path : null;
}

/** Whether an absolute path lies inside `root`. */
export const isInside = (root: string, path: string) => resolve(path).startsWith(resolve(root) + sep);

/** First and last byte, both included. */
export type ByteRange = { readonly start: number; readonly end: number };

/**
 * Reads a `Range` header against a file of `size` bytes — RFC 9110, 14.1.2; one range only, as browsers send for media.
 *
 * @returns `null`: no range asked for, or a form the server may ignore; `"unsatisfiable"`: answer 416
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return null;
  if (match[1] === "") {
    const suffix = Number(match[2]);
    return suffix === 0 || size === 0 ? "unsatisfiable" : { start: Math.max(size - suffix, 0), end: size - 1 };
  }
  const start = Number(match[1]);
  const last = match[2] === "" ? size - 1 : Number(match[2]);
  if (last < start && match[2] !== "") return null;
  return start >= size ? "unsatisfiable" : { start, end: Math.min(last, size - 1) };
}

/** @throws HttpProblem 404 when the file is gone, 416 when the range lies outside it */
export async function sendFile(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) throw new HttpProblem(404, "This file is not there (any more).");
  const range = parseRange(request.headers.range, info.size);
  response.setHeader("Content-Type", contentType(path));
  response.setHeader("Accept-Ranges", "bytes");
  if (range === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${info.size}`);
    throw new HttpProblem(416, `The file has ${info.size} bytes; the range lies outside.`);
  }
  const { start, end } = range ?? { start: 0, end: info.size - 1 };
  if (range) response.setHeader("Content-Range", `bytes ${start}-${end}/${info.size}`);
  response.setHeader("Content-Length", end - start + 1);
  response.statusCode = range ? 206 : 200;
  if (request.method === "HEAD" || info.size === 0) response.end();
  else await pipeline(createReadStream(path, { start, end }), response);
}
