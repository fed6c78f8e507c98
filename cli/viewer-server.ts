import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { UserError } from "#core/errors.ts";
import type { ViewerProblem } from "#sim-viewer/src/episode/viewer-protocol.ts";
import type { Page } from "./viewer-build.ts";
import { contentType, HttpProblem, sendFile } from "./viewer-files.ts";
import type { ViewerLibrary } from "./viewer-library.ts";

/**
 * @file The viewer's HTTP server: the built page, JSON answers and the episodes' files. Reads only. No path of a request
 * ever reaches the disk: the page is a table in memory, and files of episodes are named by group, episode and camera and
 * looked up in the library.
 */

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}

function sendPage(request: IncomingMessage, response: ServerResponse, page: Page, path: string): void {
  const name = path === "/" ? "/index.html" : path;
  const bytes = page.get(name);
  if (!bytes) throw new HttpProblem(404, `The viewer has no ${path}.`);
  // Names of assets carry a hash of their content.
  if (name.startsWith("/assets/")) response.setHeader("Cache-Control", "max-age=31536000, immutable");
  response.setHeader("Content-Type", contentType(name));
  response.setHeader("Content-Length", bytes.length);
  response.end(request.method === "HEAD" ? undefined : bytes);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpProblem(400, `"${part}" is not a well-formed part of an address.`);
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  library: ViewerLibrary,
  page: Page,
  robot: string | null,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") throw new HttpProblem(405, "The viewer only reads.");
  const path = (request.url ?? "/").split("?", 1)[0]!;
  const [area, ...rest] = path.split("/").slice(1);
  if (area !== "api" && area !== "files") return sendPage(request, response, page, path);
  const [kind, group = "", episode = "", camera = ""] = rest.map(decodePart);
  if (area === "api" && kind === "catalog") {
    return sendJson(response, 200, { ...(await library.catalog()), ...(robot === null ? {} : { robot }) });
  }
  if (area === "api" && kind === "episode") return sendJson(response, 200, await library.episode(group, episode));
  if (area === "files" && kind === "rollout") {
    return await sendFile(request, response, await library.rolloutFile(group, episode));
  }
  if (area === "files" && kind === "video") {
    return await sendFile(request, response, await library.videoFile(group, episode, camera));
  }
  throw new HttpProblem(404, `The viewer has no ${path}.`);
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
const contentPolicy = (robot: string | null) =>
  "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; " +
  `connect-src 'self'${robot === null ? "" : ` ${new URL(robot).origin}`}; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);
export const isLoopback = (host: string) => loopbackNames.has(host) || host === "::1";

/**
 * Refuses requests whose `Host` is not this machine's own name: a page elsewhere may point a name of its own at
 * 127.0.0.1 (DNS rebinding) and would then read the episodes of whoever opens it.
 */
function expectLoopbackName({ headers }: IncomingMessage): void {
  const name = (headers.host ?? "").replace(/:\d+$/, "");
  if (!loopbackNames.has(name)) {
    throw new HttpProblem(403, `The viewer answers to localhost only, not to "${name}".`);
  }
}

export type ServerOptions = {
  /** Whether it may be asked under any name, as a viewer for other machines must. */
  readonly isPublic?: boolean;
  /** Address of the rosbridge that the page may open, `ws:` or `wss:`. */
  readonly robot?: string | null;
};

/** The server, not yet listening. */
export function createViewerServer(library: ViewerLibrary, page: Page, options: ServerOptions = {}): Server {
  const { isPublic = false, robot = null } = options;
  const policy = contentPolicy(robot);
  return createServer((request, response) => {
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
    response.setHeader("Content-Security-Policy", policy);
    response.setHeader("Cache-Control", "no-cache");
    const answer = async () => {
      if (!isPublic) expectLoopbackName(request);
      await route(request, response, library, page, robot);
    };
    answer().catch((error: unknown) => answerProblem(response, error));
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
        EADDRINUSE: `viewer.port: must be a free port, got ${port}, which is in use. Pass --port ${port + 1}.`,
        EACCES: `viewer.port: must be a port this user may open, got ${port}. Pass --port 8080.`,
        EADDRNOTAVAIL: `viewer.host: must be an address of this machine, got "${host}". Pass --host 127.0.0.1.`,
        ENOTFOUND: `viewer.host: must be an address of this machine, got "${host}". Pass --host 127.0.0.1.`,
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
