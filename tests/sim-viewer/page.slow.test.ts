import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Browser, chromium, type Page } from "playwright-core";
import { PNG } from "pngjs";
import { type RunningViewer, startViewer } from "#cli/viewer-start.ts";
import { encodeRollout } from "#world/rollout.ts";
import { greySteps, makeVideo, temporaryFolder } from "../datasets/make-video.ts";
import { findBrowser } from "./find-browser.ts";
import { makeRollout } from "./make-rollout.ts";

const executablePath = findBrowser();
const inBrowser = executablePath ? describe : describe.skip;

inBrowser(`the page in a browser${executablePath ? "" : " (skipped: no Chromium or Chrome is installed)"}`, () => {
  const folder = temporaryFolder();
  let viewer: RunningViewer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    for (const policyId of ["lapa", "scratch"]) {
      mkdirSync(join(folder, policyId));
      await makeVideo(join(folder, policyId, "front.mp4"), ...greySteps(40, "64x64"));
      for (let seed = 0; seed < 4; seed++) {
        const success = policyId === "lapa" || seed === 0;
        const videos = seed === 1 ? { front: "front.mp4" } : {};
        const log = makeRollout({ seed, policyId, success, videos, instance: `instance-${seed}` });
        const chunks = { length: 4, frames: Int32Array.of(0, 20), actions: new Float32Array(2 * 4 * 2).fill(0.02) };
        writeFileSync(join(folder, policyId, `episode_${seed}.rollout`), encodeRollout({ ...log, chunks }));
      }
    }
    writeFileSync(join(folder, "lapa/cut.rollout"), "cut");
    viewer = await startViewer({ paths: [folder], port: 0 });
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--disable-gpu", "--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    await viewer?.close();
  });

  /** Opens the page anew at an address after `#`, and waits until an episode stands. */
  async function open(hash: string): Promise<void> {
    await page?.close();
    page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("request", (request) => {
      if (!request.url().startsWith(viewer.url) && !/^(data|blob):/.test(request.url())) foreign.push(request.url());
    });
    await page.goto(`${viewer.url}${hash}`);
    await page.locator(".readout-frame", { hasText: "Frame" }).waitFor();
    await page.waitForTimeout(500);
  }
  const frame = async () => Number(/Frame (\d+)/.exec((await page.locator(".readout-frame").textContent()) ?? "")?.[1]);
  /** Waits until a value is as it should be; slow machines get the time they need. */
  async function eventually<T>(read: () => Promise<T>, isRight: (value: T) => boolean): Promise<void> {
    let last = await read();
    for (let round = 0; round < 150 && !isRight(last); round++) {
      await page.waitForTimeout(100);
      last = await read();
    }
    expect([last, isRight(last)]).toEqual([last, true]);
  }
  const colorsOf = async (selector: string) => {
    const { data } = PNG.sync.read(await page.locator(selector).first().screenshot());
    const colors = new Set<number>();
    for (let at = 0; at < data.length; at += 4) colors.add((data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!);
    return colors;
  };
  const isNear = (color: number, [r, g, b]: readonly number[]) =>
    Math.abs((color >> 16) - r!) + Math.abs(((color >> 8) & 255) - g!) + Math.abs((color & 255) - b!) < 24;

  it("opens the first episode that plays and draws its scene", async () => {
    await open("");
    expect(await page.locator(".caption-origin").first().textContent()).toBe("lapa · episode_0");
    const colors = await colorsOf(".pane canvas");
    expect(colors.size).toBeGreaterThan(500);
    // The lit side of the blue block, and the green of the path ahead.
    expect([...colors].some((color) => (color & 255) > 120 && color >> 16 < 90)).toBe(true);
    expect([...colors].some((color) => isNear(color, [0x4f, 0xe3, 0xb5]))).toBe(true);
  });

  it("draws the picture of a camera that was not filmed, with the traces over it", async () => {
    expect((await colorsOf(".picture .drawn")).size).toBeGreaterThan(200);
    const inked = await page.evaluate(`(() => {
      const canvas = document.querySelector(".picture .overlay");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value) => value > 0).length;
    })()`);
    expect(inked).toBeGreaterThan(200);
  });

  it("plays with the space bar, steps with the arrows and keeps the address", async () => {
    await page.keyboard.press("Space");
    await eventually(frame, (at) => at > 3);
    await page.keyboard.press("Space");
    const reached = await frame();
    await page.keyboard.press("ArrowRight");
    expect(await frame()).toBe(reached + 1);
    expect(new URL(page.url()).hash).toBe(`#lapa/episode_0/${reached + 1}`);
    await page.keyboard.press("End");
    expect(await frame()).toBe(39);
  });

  it("moves a filmed picture to the frame of the clock", async () => {
    await open("#lapa/episode_1/20");
    const timeS = () => page.evaluate('document.querySelector("video").currentTime') as Promise<number>;
    // The middle of frame 20, which is on from 2 to 2.1 s of the file.
    await eventually(timeS, (at) => Math.abs(at - 2.05) < 0.01);
  });

  it("shows two policies side by side from a link, and the failures alone with F", async () => {
    await open("#lapa/episode_1/12?with=scratch/episode_1");
    expect(await page.locator(".pane canvas:visible").count()).toBe(2);
    expect(await page.locator(".badge:visible").allTextContents()).toEqual(["Success", "Failure"]);
    expect(await frame()).toBe(12);
    await page.keyboard.press("f");
    expect(await page.locator(".list-body .row").count()).toBe(3);
    await page.keyboard.press("Escape");
    await page.locator(".pane").nth(1).waitFor({ state: "hidden" });
    expect(new URL(page.url()).hash).toBe("#lapa/episode_1/12");
  });

  it("names a broken file and goes on with the others", async () => {
    await page.keyboard.press("f");
    await page.getByText("expected MessagePack").first().click();
    expect(await page.locator(".pane-message:visible").textContent()).toContain("lapa/cut: expected MessagePack");
    await page.keyboard.press("ArrowDown");
    await page.locator(".caption-origin", { hasText: "lapa · episode_0" }).waitFor();
  });

  it("adds an episode that is written while the page is open", async () => {
    writeFileSync(join(folder, "scratch/episode_9.rollout"), encodeRollout(makeRollout({ seed: 9 })));
    await page.locator(".row", { hasText: "episode_9" }).waitFor({ timeout: 15_000 });
  });

  it("leaves no error in the console and asks no other host for anything", () => {
    expect(complaints).toEqual([]);
    expect(foreign).toEqual([]);
  });
});
