/** @file Finds the ffmpeg program once per process, and starts it. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { readEnvironment } from "#core/config/environment.ts";
import { UserError } from "#core/errors.ts";

export type Ffmpeg = {
  readonly path: string;
  /** First line of `ffmpeg -version`. */
  readonly version: string;
  /** Output options that hand every frame on with its own time, never doubling or dropping one. */
  readonly passthrough: readonly string[];
};

const require = createRequire(import.meta.url);
const executable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Path that an npm package exports, or `undefined` when the package or its binary is not there. */
function packagedPath(load: () => unknown): string | undefined {
  try {
    const path = load();
    return typeof path === "string" ? path : undefined;
  } catch {
    return undefined;
  }
}

function* candidates(): Generator<string | undefined> {
  yield packagedPath(() => require("ffmpeg-static"));
  const name = process.platform === "win32" ? "ffmpeg.exe" : "ffmpeg";
  for (const folder of (readEnvironment("PATH") ?? "").split(delimiter)) if (folder !== "") yield join(folder, name);
  yield packagedPath(() => (require("@ffmpeg-installer/ffmpeg") as { path: string }).path);
}

async function describeFfmpeg(path: string): Promise<Ffmpeg> {
  const { stdout } = await promisify(execFile)(path, ["-hide_banner", "-version"], { timeout: 30_000 }).catch(
    (cause: Error) => {
      throw new UserError(
        `ffmpeg: ${path} must run, but does not (${cause.message.split("\n")[0]}). Install ffmpeg or set FFMPEG_PATH.`,
        { cause },
      );
    },
  );
  // -fps_mode came with FFmpeg 5.1 (libavutil 57.28) and replaces -vsync.
  const [, major = "0", minor = "0"] = /^libavutil\s+(\d+)\.\s*(\d+)/m.exec(stdout) ?? [];
  const hasFpsMode = Number(major) > 57 || (Number(major) === 57 && Number(minor) >= 28);
  return {
    path,
    version: stdout.split("\n")[0]!.trim(),
    passthrough: [hasFpsMode ? "-fps_mode" : "-vsync", "passthrough"],
  };
}

async function search(): Promise<Ffmpeg> {
  const chosen = readEnvironment("FFMPEG_PATH");
  if (chosen !== undefined) {
    if (await executable(chosen)) return describeFfmpeg(chosen);
    throw new UserError(
      `ffmpeg: FFMPEG_PATH must name a program, got "${chosen}". Correct it, or unset it to search elsewhere.`,
    );
  }
  for (const path of candidates()) {
    if (path !== undefined && (await executable(path))) return describeFfmpeg(path);
  }
  throw new UserError(
    'ffmpeg: must be installed to read or write videos, but none was found. Run "npm install @ffmpeg-installer/ffmpeg" or set FFMPEG_PATH.',
  );
}

let found: Promise<Ffmpeg> | undefined;

/**
 * Looks for ffmpeg: FFMPEG_PATH, ffmpeg-static, the PATH, `@ffmpeg-installer/ffmpeg`. The answer is kept.
 *
 * @throws UserError when there is none, or the one that is there does not run
 */
export function findFfmpeg(): Promise<Ffmpeg> {
  found ??= search();
  found.catch(() => {
    found = undefined;
  });
  return found;
}

/** A running ffmpeg. `exited` never rejects; `kill` is safe at any time. */
export type FfmpegProcess = {
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  kill(): void;
};

/**
 * Starts ffmpeg and hands every line of its log to `onLine`, prefixed with its level ("[error] ...").
 *
 * @param pipes standard input and output: "pipe" to use them, "ignore" otherwise
 */
export function startFfmpeg(
  ffmpeg: Ffmpeg,
  args: readonly string[],
  pipes: { readonly input: "pipe" | "ignore"; readonly output: "pipe" | "ignore" },
  onLine: (line: string) => void,
): FfmpegProcess {
  const child = spawn(ffmpeg.path, ["-hide_banner", "-nostats", "-loglevel", "repeat+level+info", ...args], {
    stdio: [pipes.input, pipes.output, "pipe"],
    windowsHide: true,
  });
  let rest = "";
  const stderr = child.stderr!;
  stderr.setEncoding("utf8");
  stderr.on("data", (text: string) => {
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  });
  const exited = new Promise<number>((resolve) => {
    child.on("error", (error) => {
      onLine(`[fatal] ${ffmpeg.path}: ${error.message}`);
      resolve(-1);
    });
    child.on("close", (code) => {
      if (rest !== "") onLine(rest);
      resolve(code ?? -1);
    });
  });
  return { child, exited, kill: () => void child.kill("SIGKILL") };
}
