/** @file The same bits in another engine: a rollout of Node is replayed and drawn in Chromium. */
import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Browser, chromium } from "playwright-core";
import { sha256 } from "#core/sha256.ts";
import { encodeRollout, pickPlacePresets, pushPresets } from "#world/index.ts";
import { createRasterizer } from "#world/raster/index.ts";
import { findBrowser } from "../../sim-viewer/find-browser.ts";
import { expertLog } from "../expert-log.ts";
import { drawFrame } from "./draw-frame.ts";
import type { BrowserAnswer } from "./in-browser.ts";

const executablePath = findBrowser();
const inBrowser = executablePath ? describe : describe.skip;
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

inBrowser(`Chromium${executablePath ? "" : " (skipped: no Chromium or Chrome is installed)"}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "in-browser-"));
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    // In a process of its own: the bundler's native part refuses objects of the test's sandbox.
    const options = {
      root: fileURLToPath(new URL("../../..", import.meta.url)),
      configFile: false,
      logLevel: "error",
      build: {
        outDir: folder,
        target: "es2023",
        rollupOptions: {
          input: fileURLToPath(new URL("./in-browser.ts", import.meta.url)),
          output: { entryFileNames: "judge.js" },
        },
      },
    };
    const bundle = `import { build } from "vite"; await build(${JSON.stringify(options)});`;
    execFileSync(process.execPath, ["--input-type=module", "-e", bundle], { cwd: options.root, stdio: "pipe" });
    writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="/judge.js"></script>');
    server = createServer((request, response) => {
      const path = join(folder, new URL(request.url!, "http://localhost").pathname);
      if (!path.startsWith(folder) || !existsSync(path)) return response.writeHead(404).end();
      response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" });
      return createReadStream(path).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--disable-gpu", "--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ["pusher", pushPresets["language-table"]],
    ["hand", pushPresets["language-table"]],
    ["arm", pushPresets["language-table"]],
    ["widowx", pickPlacePresets["pick-place"]],
  ] as const)("replays a %s's rollout to the last bit and draws the same bytes", async (embodiment, suite) => {
    const log = await expertLog(embodiment, 4, suite);
    writeFileSync(join(folder, `${embodiment}.rollout`), encodeRollout(log));
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`);
    await page.waitForFunction("typeof judge === 'function'");
    const answer = (await page.evaluate(`judge("/${embodiment}.rollout")`)) as BrowserAnswer;
    await page.close();
    expect(complaints).toEqual([]);
    expect({ isExact: answer.isExact, firstDifference: answer.firstDifference }).toEqual({
      isExact: true,
      firstDifference: null,
    });
    const ours = [0, log.frames - 1].map((frame) => drawFrame(createRasterizer, log, frame, sha256));
    expect(answer.frames).toEqual(ours);
  });
});
