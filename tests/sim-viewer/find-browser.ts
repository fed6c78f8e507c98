import { existsSync } from "node:fs";

/** A Chromium or Chrome of this machine, or `undefined`. */
export const findBrowser = (): string | undefined =>
  [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ].find(existsSync);
