import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Browser, chromium, type Page } from "playwright-core";
import { type RunningViewer, startViewer } from "#cli/viewer-start.ts";
import { type RunningArm, simulateArm } from "#robot-bridge/simulate.ts";
import type { ArmPlant } from "#robot-bridge/simulation/plant.ts";
import { openTabletopPlant } from "#robot-bridge/simulation/tabletop-arm.ts";
import { pushPresets } from "#world/index.ts";
import { findBrowser } from "./find-browser.ts";

const executablePath = findBrowser();
const inBrowser = executablePath ? describe : describe.skip;

inBrowser(`a live robot in a browser${executablePath ? "" : " (skipped: no Chromium or Chrome is installed)"}`, () => {
  let plant: ArmPlant;
  let arm: RunningArm;
  let viewer: RunningViewer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const start = (port: number) => simulateArm({ plant, port, pictureSize: 64, stateHz: 25, cameraHz: 4 });

  beforeAll(async () => {
    plant = await openTabletopPlant({ suite: pushPresets.demo, split: "train", seed: 5 });
    arm = await start(0);
    viewer = await startViewer({ paths: [], robot: arm.url, port: 0 });
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--disable-gpu", "--no-sandbox"] });
    page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(viewer.url);
  });
  afterAll(async () => {
    await browser?.close();
    await viewer?.close();
    await arm?.close();
    plant?.close();
  });

  it("is shown at once where there are no recordings: its link, task, joints and picture", async () => {
    await page.locator(".badge", { hasText: "Live" }).waitFor();
    expect(await page.locator(".caption-instruction:visible").textContent()).toBe(plant.instruction);
    await page.locator(".legend-name", { hasText: "shoulder" }).waitFor();
    await page.locator(".picture canvas").waitFor();
    const picture = await page.evaluate(`(() => {
      const canvas = document.querySelector(".picture canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return { width: canvas.width, colors: new Set(data).size };
    })()`);
    expect(picture).toMatchObject({ width: 64 });
    expect((picture as { colors: number }).colors).toBeGreaterThan(30);
  });

  it("is drawn from its own description", async () => {
    await page.locator(".pane:not(.is-empty) canvas").waitFor();
    expect(await page.locator(".layer:visible").allTextContents()).toEqual(["Past", "Ahead", "Grid"]);
    expect(complaints).toEqual([]);
  });

  it("is said to be lost when its link breaks, and comes back by itself", async () => {
    const port = Number(new URL(arm.url).port);
    await arm.close();
    await page.locator(".badge", { hasText: "Link lost" }).waitFor();
    arm = await start(port);
    await page.locator(".badge", { hasText: "Live" }).waitFor({ timeout: 20_000 });
  });
});
