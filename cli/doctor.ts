import { z } from "zod";
import { UserError } from "#core/errors.ts";
import { codeCommit, codeVersion, describeMachine } from "#core/provenance.ts";
import { findFfmpeg } from "#datasets/video/ffmpeg.ts";
import { createExecutor } from "#engine/index.ts";
import { defineCommand } from "./command.ts";

type Finding = { readonly name: string; readonly ok: boolean; readonly detail: string };

async function check(name: string, look: () => Promise<string> | string): Promise<Finding> {
  try {
    return { name, ok: true, detail: await look() };
  } catch (error) {
    if (error instanceof UserError) return { name, ok: false, detail: error.message };
    return { name, ok: false, detail: (error as Error).message };
  }
}

async function engineFinding(): Promise<string> {
  const executor = await createExecutor({ kind: "auto" });
  await executor.dispose();
  return executor.reason;
}

export const doctor = defineCommand({
  summary: "says what is here, what is missing and how to get it",
  config: z.strictObject({}),
  example: "doctor",
  async run(_config, { print, result }) {
    const findings = [
      await check("armature", () => `${codeVersion()}, commit ${codeCommit()}`),
      await check("machine", describeMachine),
      await check("ffmpeg", async () => (await findFfmpeg()).path),
      await check("engine", engineFinding),
    ];
    for (const { name, ok, detail } of findings) print(`${ok ? "ok     " : "missing"} ${name.padEnd(10)} ${detail}`);
    result(findings);
    if (findings.some(({ ok }) => !ok)) process.exitCode = 2;
  },
});
