import { z } from "zod";
import { defineCommand } from "../command.ts";
import { openInBrowser } from "../open-in-browser.ts";
import { startViewer, viewerPort } from "../viewer-start.ts";

export const viewer = defineCommand({
  summary: "plays rollouts, recordings and data sets in a browser",
  config: z.strictObject({
    paths: z.array(z.string()).default([]).describe("folders or files, separated by commas; default: runs"),
    robot: z.string().default("").describe("address of a rosbridge whose robot is shown live"),
    port: z.number().int().min(0).max(65535).default(viewerPort).describe("port to listen on; 0: any free one"),
    host: z.string().default("127.0.0.1").describe("address to listen on"),
    allowRemote: z
      .boolean()
      .default(false)
      .describe("allow another address: everybody who reaches it sees the episodes"),
    open: z.boolean().default(false).describe("open the page in a browser"),
  }),
  positionals: ["paths"],
  example: "viewer runs/demo",
  async run({ paths, robot, port, host, allowRemote, open }, { log, print, signal }) {
    const shown = paths.length === 0 && robot === "" ? ["runs"] : paths;
    const live = robot === "" ? {} : { robot };
    const { url, close } = await startViewer({ paths: shown, port, host, allowRemote, ...live, log: log.info });
    print(`${url}: the viewer is running; Ctrl-C ends it`);
    if (open) openInBrowser(url);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await close();
  },
});
