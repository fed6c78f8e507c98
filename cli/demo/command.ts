import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { writeResult } from "#core/results.ts";
import { writeWhole } from "#core/write-whole.ts";
import { defineCommand } from "../command.ts";
import { openInBrowser } from "../open-in-browser.ts";
import { openEngine } from "../training.ts";
import { startViewer } from "../viewer-start.ts";
import { demoConfig, demoPresets } from "./config.ts";
import { runPipeline } from "./pipeline.ts";
import { renderReport } from "./report.ts";
import { type DemoSummary, demoResult } from "./result.ts";

export const demo = defineCommand({
  summary: "the whole path on simulated or your own videos, in minutes: train, fine-tune, play, report",
  config: demoConfig,
  presets: demoPresets,
  example: "demo --videos my-videos",
  async run(config, context) {
    if (config.fresh) rmSync(config.folder, { recursive: true, force: true });
    const executor = await openEngine(config.engine, context);
    const outcome = await runPipeline(config, executor, context).finally(() => executor.dispose());
    const result = demoResult(outcome, config, context.commandLine);
    writeResult(config.folder, result);
    if (config.results !== "") writeResult(config.results, result);
    const report = resolve(join(config.folder, "report.html"));
    writeWhole(report, await renderReport(outcome, { ...result.summary, ...result } as unknown as DemoSummary));
    context.print(`report:  ${report}`);
    context.print(`viewer:  npx armature viewer ${config.folder}`);
    context.result(result);
    if (!config.open) return;
    openInBrowser(report);
    const viewer = await startViewer({ paths: [config.folder], port: 0, log: context.log.info });
    context.print(`viewer:  ${viewer.url} (Ctrl-C ends it)`);
    openInBrowser(viewer.url);
    await new Promise<void>((done) => context.signal.addEventListener("abort", () => done(), { once: true }));
    await viewer.close();
  },
});
