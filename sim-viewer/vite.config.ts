import { fileURLToPath } from "node:url";
import type { UserConfig } from "vite";

/** Relative addresses in the built page, so that it also works behind a path prefix. */
export default {
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  publicDir: false,
  build: { target: "es2022", chunkSizeWarningLimit: 1500 },
} satisfies UserConfig;
