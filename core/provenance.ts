/** @file Where a result comes from: code version and machine. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, type as system, totalmem } from "node:os";

/** The widest vector instructions of the processor, where the system tells: they decide how fast it multiplies. */
function vectorInstructions(): string {
  if (system() !== "Linux") return "";
  try {
    const flags =
      readFileSync("/proc/cpuinfo", "utf8")
        .match(/^(flags|Features)\s*:(.*)$/m)?.[2]
        ?.split(/\s+/) ?? [];
    const names = { amx_tile: "AMX", avx512f: "AVX-512", avx2: "AVX2", sve: "SVE", asimd: "NEON" };
    const widest = Object.entries(names).find(([flag]) => flags.includes(flag));
    return widest === undefined ? "" : ` (${widest[1]})`;
  } catch {
    return "";
  }
}

/** Text of the machine for result files: processor, cores, memory, system, Node. */
export function describeMachine(): string {
  const model = `${cpus()[0]?.model.trim() || "unknown processor"}${vectorInstructions()}`;
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${gigabytes} GiB, ${system()} ${release()}, Node ${process.versions.node}`;
}

const root = new URL("..", import.meta.url);

/** Commit of the code, with `-dirty` when tracked files differ from it; "unknown" outside of a git checkout. */
export function codeCommit(): string {
  const git = (...words: string[]) =>
    execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const commit = git("rev-parse", "HEAD");
    return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}-dirty`;
  } catch {
    return "unknown";
  }
}

/** Version in package.json. */
export function codeVersion(): string {
  return (JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string }).version;
}
