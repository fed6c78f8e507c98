/** @file One trainer per run folder: a file with the process that holds it. The lock of a dead process is taken over. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { ConfigError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";

type Holder = { readonly pid: number; readonly host: string; readonly started: string };

/** When a process started, in clock ticks since boot; "" where the system does not say. Process ids are used again. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function isAlive({ pid, host, started }: Holder): boolean {
  // Another machine's processes cannot be seen from here: only a person knows.
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
  return startOf(pid) === started;
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined; // gone, or cut while it was written: nobody holds it
  }
}

function refuse(folder: string, path: string, { pid, host }: Holder): never {
  throw new ConfigError(
    `${folder}: process ${pid} on ${host} is training in this folder. Wait for it or choose another run name; ` +
      `if it is not there any more, delete ${path}.`,
  );
}

/**
 * Takes the run folder.
 *
 * @returns a function that lets it go
 * @throws ConfigError when another trainer holds it
 */
export function lockRun(folder: string): () => void {
  const path = join(folder, "lock");
  const mine = `${path}.${process.pid}.tmp`;
  const holder: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  try {
    writeFileSync(mine, JSON.stringify(holder));
    if (!tryLink(mine, path)) {
      takeOver(folder, path);
      if (!tryLink(mine, path)) refuse(folder, path, readHolder(path) ?? holder);
    }
  } catch (cause) {
    throw writeFailure(path, cause);
  } finally {
    rmSync(mine, { force: true });
  }
  return () => rmSync(path, { force: true });
}

/** A link comes into being whole, and fails when the name is taken. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

/** Moves a dead process's lock away. Between reading and moving somebody else may have come: then it is put back. */
function takeOver(folder: string, path: string): void {
  const found = readHolder(path);
  if (found !== undefined && isAlive(found)) refuse(folder, path, found);
  const aside = `${path}.${process.pid}.stale.tmp`;
  renameSync(path, aside);
  const moved = readHolder(aside);
  if (moved !== undefined && isAlive(moved)) {
    tryLink(aside, path);
    rmSync(aside, { force: true });
    refuse(folder, path, moved);
  }
  rmSync(aside, { force: true });
}
