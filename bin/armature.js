#!/usr/bin/env node
// Runs the TypeScript command line. Nothing here needs more than Node, so a missing installation is one sentence.
import { createRequire } from "node:module";

try {
  createRequire(import.meta.url).resolve("tsx");
} catch {
  process.stderr.write('armature: its packages are not installed. Run "npm ci" (or "npm run demo") in its folder.\n');
  process.exit(2);
}
// Who reads may stop reading, as `| head` does: then there is nobody left to talk to.
process.stdout.on("error", (error) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
const { register } = await import("tsx/esm/api");
register();
const { main } = await import(new URL("../cli/main.ts", import.meta.url).href);
const status = await main(process.argv.slice(2));
// Handles that a library left open must not keep a finished command alive.
process.exitCode = status;
setTimeout(() => process.exit(status), 500).unref();
