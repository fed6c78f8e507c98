import { mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createLibrary } from "#cli/viewer-library.ts";
import { closeServer, createViewerServer, listen } from "#cli/viewer-server.ts";
import type { Catalog, EpisodeDetail, ViewerProblem } from "#sim-viewer/src/episode/viewer-protocol.ts";
import { encodeRollout } from "#world/rollout.ts";
import { temporaryFolder } from "../datasets/make-video.ts";
import { makeRollout } from "../sim-viewer/make-rollout.ts";

const folder = join(temporaryFolder(), "runs");
mkdirSync(folder);
const secret = "SECRET OUTSIDE";
const film = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
const bytes = encodeRollout(makeRollout({ frames: 3, videos: { front: "a.mp4", up: "../secret.mp4" } }));
writeFileSync(join(folder, "a.rollout"), bytes);
writeFileSync(join(folder, "a.mp4"), film);
writeFileSync(join(folder, "broken.rollout"), bytes.subarray(0, 100));
writeFileSync(join(folder, "..", "secret.mp4"), secret);

const page = new Map([
  ["/index.html", Buffer.from("<!doctype html><title>page</title>")],
  ["/assets/app-1.js", Buffer.from("export {};")],
]);
const group = encodeURIComponent(folder.split("/").at(-1)!);
let server: Server;
let port: number;
let url: string;
beforeAll(async () => {
  server = createViewerServer(createLibrary([folder]), page);
  port = await listen(server, "127.0.0.1", 0);
  url = `http://127.0.0.1:${port}`;
});
afterAll(() => closeServer(server));

const getJson = async <T>(path: string): Promise<T> => (await fetch(`${url}/${path}`)).json() as Promise<T>;

/** Sends a request line as it is written here: clients clean paths up before they send them. */
function sendRaw(target: string, host = "localhost", method = "GET"): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (part) => {
      answer += part;
    });
    socket.on("end", () => done(answer));
    socket.on("error", fail);
  });
}

describe("the page", () => {
  it("is served with its types and a policy that loads nothing from elsewhere", async () => {
    const answer = await fetch(`${url}/`);
    expect(await answer.text()).toContain("<title>page</title>");
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("is cached for ever only where names carry a hash", async () => {
    expect((await fetch(`${url}/assets/app-1.js`)).headers.get("cache-control")).toContain("immutable");
    expect((await fetch(`${url}/index.html`)).headers.get("cache-control")).toBe("no-cache");
  });

  it("answers HEAD without a body", async () => {
    const answer = await sendRaw("/", "localhost", "HEAD");
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(answer.split("\r\n\r\n")[1]).toBe("");
  });
});

describe("episodes", () => {
  it("are listed, the broken one with its problem", async () => {
    const { groups } = await getJson<Catalog>("api/catalog");
    const listed = groups[0]!.episodes.map(({ id, problem }) => [id, typeof problem]);
    expect(listed).toEqual([
      ["a", "undefined"],
      ["broken", "string"],
    ]);
  });

  it("are opened, and their rollout is the file itself", async () => {
    const detail = await getJson<EpisodeDetail>(`api/episode/${group}/a`);
    expect(detail.timestampsS).toBeAllClose([0, 0.1, 0.2]);
    const rollout = await fetch(`${url}/${detail.rolloutUrl}`);
    expect(Buffer.from(await rollout.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true);
  });

  it("that are broken or unknown are a sentence, and the others still play", async () => {
    const broken = await fetch(`${url}/api/episode/${group}/broken`);
    expect(broken.status).toBe(404);
    expect(((await broken.json()) as ViewerProblem).problem).toContain("broken.rollout: expected MessagePack");
    expect((await getJson<ViewerProblem>(`api/episode/${group}/nobody`)).problem).toContain(
      "Choose one from the list.",
    );
    expect((await fetch(`${url}/api/episode/${group}/a`)).status).toBe(200);
  });
});

describe("videos", () => {
  const get = (range?: string) =>
    fetch(`${url}/files/video/${group}/a/front`, range ? { headers: { range } } : undefined);

  it.each([
    ["bytes=0-", 0, 4999],
    ["bytes=1000-1999", 1000, 1999],
    ["bytes=-10", 4990, 4999],
  ])("are sent in parts: %s", async (range, start, end) => {
    const answer = await get(range);
    expect(answer.status).toBe(206);
    expect(answer.headers.get("content-range")).toBe(`bytes ${start}-${end}/5000`);
    expect(answer.headers.get("content-type")).toBe("video/mp4");
    expect(Buffer.from(await answer.arrayBuffer()).equals(film.subarray(start, end + 1))).toBe(true);
  });

  it("are sent whole where no part is asked for", async () => {
    const answer = await get();
    expect([answer.status, answer.headers.get("accept-ranges")]).toEqual([200, "bytes"]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(film)).toBe(true);
  });

  it("have no part behind their end", async () => {
    const answer = await get("bytes=5000-");
    expect([answer.status, answer.headers.get("content-range")]).toEqual([416, "bytes */5000"]);
    expect(((await answer.json()) as ViewerProblem).problem).toContain("5000 bytes");
  });

  it("are never files outside the rollout's folder, whatever the log names", async () => {
    const answer = await fetch(`${url}/files/video/${group}/a/up`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain(secret);
  });
});

describe("paths of requests", () => {
  it.each([
    "/../secret.mp4",
    "/%2e%2e/secret.mp4",
    "/..%2fsecret.mp4",
    "/assets/../../secret.mp4",
    "/assets/..\\..\\secret.mp4",
    "//etc/passwd",
    "/etc/passwd",
    "/files/video/../../secret.mp4",
    `/files/video/${group}/..%2f..%2fsecret/front`,
    `/files/video/${group}/a/..%2f..%2fsecret.mp4`,
    `/files/rollout/..%2f..%2f/secret.mp4`,
    `/files/rollout/${group}/%00`,
    "/api/episode/%2e%2e%2f/secret",
    "/package.json",
    "/cli/viewer-server.ts",
    "/__proto__",
    "/index.html/..",
  ])("never reach the disk: %s", async (target) => {
    const answer = await sendRaw(target);
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d/);
    expect(answer).not.toContain(secret);
    expect(answer).not.toContain("root:");
  });

  it("that are not well formed are refused with a sentence", async () => {
    expect(await sendRaw("/api/episode/%E0%A4%A/x")).toMatch(/^HTTP\/1.1 400[\s\S]*not a well-formed part/);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("are never written to with %s", async (method) => {
    expect(await sendRaw("/api/catalog", "localhost", method)).toMatch(/^HTTP\/1.1 405/);
  });
});

describe("names of the host", () => {
  it.each(["localhost", "localhost:5180", "127.0.0.1:80", "[::1]:5180"])("may be %s", async (host) => {
    expect(await sendRaw("/", host)).toMatch(/^HTTP\/1.1 200/);
  });

  it.each(["evil.example", "localhost.evil.example", "192.168.1.5:5180", ""])("may not be %p", async (host) => {
    const answer = await sendRaw("/api/catalog", host);
    expect(answer).toMatch(/^HTTP\/1.1 403/);
    expect(answer).not.toContain('episodes":');
  });

  it("may be any once the viewer is public", async () => {
    const open = createViewerServer(createLibrary([folder]), page, { isPublic: true });
    const at = await listen(open, "127.0.0.1", 0);
    const answer = await fetch(`http://127.0.0.1:${at}/`, { headers: { host: "robot.lan" } });
    expect(answer.status).toBe(200);
    await closeServer(open);
  });
});

describe("a robot", () => {
  it("is named in the catalogue and is the only other place that the page may open", async () => {
    const robot = "ws://127.0.0.1:9090/?token=0123456789abcdef";
    const live = createViewerServer(createLibrary([]), page, { robot });
    const at = await listen(live, "127.0.0.1", 0);
    const answer = await fetch(`http://127.0.0.1:${at}/api/catalog`);
    expect(await answer.json()).toEqual({ path: "", groups: [], robot });
    expect(answer.headers.get("content-security-policy")).toContain("connect-src 'self' ws://127.0.0.1:9090;");
    await closeServer(live);
    expect((await fetch(`${url}/`)).headers.get("content-security-policy")).toContain("connect-src 'self';");
  });
});

describe("listen", () => {
  it("says in one sentence that the port is in use", async () => {
    const second = createViewerServer(createLibrary([folder]), page);
    await expect(listen(second, "127.0.0.1", port)).rejects.toThrow(
      `viewer.port: must be a free port, got ${port}, which is in use. Pass --port ${port + 1}.`,
    );
  });

  it("says in one sentence that the address is not of this machine", async () => {
    const second = createViewerServer(createLibrary([folder]), page);
    await expect(listen(second, "192.0.2.1", 0)).rejects.toThrow("viewer.host: must be an address of this machine");
  });
});
