#!/usr/bin/env node
// `npm run demo` and `npm test` on a machine that has Node and npm and nothing else: installs what is missing, then works.
// Depends on no package, because none may be there yet.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "node_modules", ".armature-installed");
const say = (line) => process.stderr.write(`${line}\n`);

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`armature: Node must be 20.19 or newer, got ${process.versions.node}. Install a newer Node and run this again.`);
  process.exit(2);
}

/** Runs a program in the repository; the terminal's Ctrl-C reaches it by itself. */
function run(program, words, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd: root, stdio: "inherit", ...options });
    const passOn = (signal) => child.kill(signal);
    process.on("SIGTERM", passOn);
    // The child gets the same Ctrl-C and decides; this process waits for it.
    const wait = () => {};
    process.on("SIGINT", wait);
    child.on("error", (error) => {
      say(`armature: ${program} could not be started: ${error.message}`);
      resolve(1);
    });
    child.on("exit", (code, signal) => {
      process.off("SIGTERM", passOn);
      process.off("SIGINT", wait);
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}

/** What must be installed anew when it changes. */
const lockDigest = () =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform} ${process.arch}`)
    .digest("hex");

const readStamp = () => (existsSync(stamp) ? readFileSync(stamp, "utf8") : "");

async function install() {
  if (readStamp() === lockDigest()) return;
  say("armature: installing packages (about 20 seconds, once)");
  // onnxruntime-node's install script would fetch a CUDA library; the CPU library is inside the package.
  const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const status = await run(npm, words, { env: environment, shell: process.platform === "win32" });
  if (status !== 0) {
    say("armature: the packages could not be installed. Check that npm reaches its registry and run this again.");
    process.exit(status === 130 ? 130 : 2);
  }
  fetchFfmpeg();
  writeFileSync(stamp, lockDigest());
}

/** Tries ffmpeg-static's own download once; where its host cannot be reached the ffmpeg inside the packages is used. */
function fetchFfmpeg() {
  const script = join(root, "node_modules", "ffmpeg-static", "install.js");
  if (!existsSync(script) || process.env.FFMPEG_PATH) return;
  spawnSync(process.execPath, [script], { cwd: join(script, ".."), stdio: "ignore", timeout: 20_000 });
}

const jest = (words, environment = {}) =>
  run(
    process.execPath,
    [
      "--experimental-vm-modules",
      "--no-warnings=ExperimentalWarning",
      join("node_modules", "jest", "bin", "jest.js"),
      ...words,
    ],
    { env: { ...process.env, ...environment } },
  );

/** Runs the tests (`--slow`: the slow ones) and ends with `tests: N passed, N failed`. */
async function test(words) {
  const folder = mkdtempSync(join(tmpdir(), "armature-test-"));
  const report = join(folder, "report.json");
  const slow = words.includes("--slow");
  const others = words.filter((word) => word !== "--slow");
  const status = await jest(["--json", `--outputFile=${report}`, ...others], slow ? { JEST_SLOW: "1" } : {});
  let line = "tests: 0 passed, 1 failed";
  if (existsSync(report)) {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, "utf8"));
    line = `tests: ${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed`;
  }
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${line}\n`);
  return status;
}

const [task, ...words] = process.argv.slice(2);
checkNode();
await install();
if (task === "test") process.exit(await test(words));
if (task === "install") process.exit(0);
process.exit(await run(process.execPath, [join("bin", "armature.js"), task ?? "demo", ...words]));
