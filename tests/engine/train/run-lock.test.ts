import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { lockRun } from "#engine/train/run-lock.ts";
import { temporaryFolder } from "../small-training.ts";

/** The id of a process that has ended. */
const deadPid = () => spawnSync(process.execPath, ["-e", ""]).pid;

const holder = (pid: number, host = hostname(), started = "") => JSON.stringify({ pid, host, started });

describe("run lock", () => {
  it("keeps a second trainer out until it is let go", () => {
    const folder = temporaryFolder();
    const release = lockRun(folder);
    expect(() => lockRun(folder)).toThrow(
      `${folder}: process ${process.pid} on ${hostname()} is training in this folder. Wait for it or choose another run name`,
    );
    release();
    expect(readdirSync(folder)).toEqual([]);
    lockRun(folder)();
  });

  it.each([
    ["a dead process", () => holder(deadPid())],
    ["a living process that has the id of the dead one now", () => holder(process.pid, hostname(), "1")],
    ["nobody: the file was cut", () => '{"pid": 12'],
  ])("is taken over from %s", (_, content) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "lock"), content());
    const release = lockRun(folder);
    expect(JSON.parse(readFileSync(join(folder, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
    release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is not taken over from another machine, whose processes cannot be seen", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "lock"), holder(1, "elsewhere"));
    expect(() => lockRun(folder)).toThrow(/process 1 on elsewhere .* if it is not there any more, delete .*lock\./);
    expect(existsSync(join(folder, "lock"))).toBe(true);
    expect(readdirSync(folder)).toEqual(["lock"]);
  });
});
