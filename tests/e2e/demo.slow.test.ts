import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "@jest/globals";

const armature = fileURLToPath(new URL("../../bin/armature.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "armature-demo-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

function start(...words: string[]): { child: ChildProcess; ended: Promise<Ended>; said: () => string } {
  const child = spawn(process.execPath, [armature, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
  return { child, ended, said: () => stderr };
}

const demo = (...words: string[]) => start("demo", "--preset", "smoke", "--folder", folder, "--json", ...words);

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 50) {
    if (waited > 240_000) throw new Error("waited for four minutes");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("the demo", () => {
  it("stops at Ctrl-C in the middle of training, goes on afterwards and reaches the end", async () => {
    const first = demo();
    await until(() => first.said().includes("latent-vla") || first.child.exitCode !== null);
    first.child.kill("SIGINT");
    expect((await first.ended).status).toBe(130);

    const { status, stdout, stderr } = await demo().ended;
    expect(stderr).toContain("[3/9] quantizer: as it is");
    expect(status).toBe(0);
    const { name, summary, claim, rows } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    expect(name).toBe("demo");
    expect(claim).toContain("LAPA > Scratch");
    expect(summary).toMatchObject({ codebookSize: 8, rollouts: 8, probeR2: expect.any(Number) });
    expect(summary.successLapa).toBeGreaterThanOrEqual(0);
    expect(rows.length).toBeGreaterThan(8);
    expect(readFileSync(join(folder, "report.html"), "utf8")).toContain("data:image/png;base64");
    expect(existsSync(join(folder, "rollouts", "lapa", "000.rollout"))).toBe(true);
  });

  it("reuses everything the second time and gives the same numbers", async () => {
    const [again, fresh] = [await demo().ended, JSON.parse(readFileSync(join(folder, "demo.json"), "utf8"))];
    expect(again.stderr.match(/as it is/g)).toHaveLength(9);
    const { summary } = JSON.parse(again.stdout.trim().split("\n").at(-1)!);
    expect(summary).toEqual(fresh.summary);
  });

  it("runs a stage again when its settings change, and only what follows", async () => {
    const { stderr, status } = await demo("--rollouts", "4").ended;
    expect(status).toBe(0);
    expect(stderr.match(/as it is/g)).toHaveLength(8);
  });
});
