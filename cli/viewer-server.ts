import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { UserError } from "#core/errors.ts";
import type { ViewerProblem } from "#sim-viewer/src/viewer-protocol.ts";
import type { ViewerLibrary } from "./viewer-library.ts";

/**
 * @file The viewer's HTTP server: the built page, JSON answers and the episodes' files. Reads only. Files of episodes are
 * reached by group, episode and camera name through the library, never by a path of the request; the built page's own
 * files are the only ones with a path, and that path cannot leave its folder.
 */

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".mkv": "video/x-matroska",
  ".rollout": "application/octet-stream",
};

/** A request that the server answers with this status and a sentence. */
class HttpProblem extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Resolves a request path inside `root`.
 *
 * @returns the absolute path, or `null` when the request would leave `root` or holds a NUL byte
 */
export function safePath(root: string, requestPath: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(requestPath);
  } catch {
    return null;
  }
  if (decoded.includes("\0") || decoded.includes("\\")) return null;
  const base = resolve(root);
  const path = resolve(base, `.${sep}${decoded}`);
  return path === base || path.startsWith(base + sep) ? path : null;
}

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

async function sendFile(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) throw new HttpProblem(404, "This file is not there (any more).");
  const range = parseRange(request.headers.range, info.size);
  response.setHeader("Content-Type", contentTypes[extname(path).toLowerCase()] ?? "application/octet-stream");
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

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  library: ViewerLibrary,
  page: string,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") throw new HttpProblem(405, "The viewer only reads.");
  const path = (request.url ?? "/").split("?", 1)[0]!;
  const [area, ...rest] = path.split("/").slice(1);
  if (area !== "api" && area !== "files") {
    const file = safePath(page, path === "/" ? "/index.html" : path);
    if (!file) throw new HttpProblem(403, "This path leaves the viewer's folder.");
    if (path.startsWith("/assets/")) response.setHeader("Cache-Control", "max-age=31536000, immutable");
    return await sendFile(request, response, file);
  }
  const [kind, group = "", episode = "", camera = ""] = rest.map(decodePart);
  if (area === "api" && kind === "catalog") return sendJson(response, 200, await library.catalog());
  if (area === "api" && kind === "episode") return sendJson(response, 200, await library.episode(group, episode));
  if (area === "files" && kind === "rollout") {
    return await sendFile(request, response, await library.rolloutFile(group, episode));
  }
  if (area === "files" && kind === "video") {
    return await sendFile(request, response, await library.videoFile(group, episode, camera));
  }
  throw new HttpProblem(404, `The viewer has no ${path}.`);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpProblem(400, `"${part}" is not a well-formed part of an address.`);
  }
}

function answerProblem(response: ServerResponse, error: unknown): void {
  const problem: ViewerProblem = { problem: error instanceof Error ? error.message : String(error) };
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.removeHeader("Content-Length");
  response.removeHeader("Cache-Control");
  const status = error instanceof HttpProblem ? error.status : error instanceof UserError ? 404 : 500;
  sendJson(response, status, problem);
}

/** The page loads nothing from elsewhere; `blob:` is for pictures made in the page, inline styles are three's and uPlot's. */
const contentPolicy =
  "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'";

/** The server, not yet listening. @param page folder of the built page */
export function createViewerServer(library: ViewerLibrary, page: string): Server {
  return createServer((request, response) => {
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Content-Security-Policy", contentPolicy);
    response.setHeader("Cache-Control", "no-cache");
    route(request, response, library, page).catch((error: unknown) => answerProblem(response, error));
  });
}

/**
 * Starts listening.
 *
 * @returns the port, which differs from `port` only when that is 0
 * @throws UserError when the port is taken, not allowed, or the address is not of this machine
 */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const advice: Readonly<Record<string, string>> = {
        EADDRINUSE: `viewer.port: expected a free port, got ${port}, which is in use. Pass --port ${port + 1}.`,
        EACCES: `viewer.port: expected a port this user may open, got ${port}. Pass --port 8080.`,
        EADDRNOTAVAIL: `viewer.host: expected an address of this machine, got "${host}". Pass --host 127.0.0.1.`,
        ENOTFOUND: `viewer.host: expected an address of this machine, got "${host}". Pass --host 127.0.0.1.`,
      };
      const sentence = advice[error.code ?? ""];
      fail(sentence ? new UserError(sentence, { cause: error }) : error);
    });
    server.listen(port, host, () => {
      const address = server.address();
      done(typeof address === "object" && address ? address.port : port);
    });
  });
}

/** Stops listening and drops open connections (a paused video keeps one open for ever). */
export function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
