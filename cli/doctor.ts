import { z } from "zod";
import { UserError } from "#core/errors.ts";
import { codeCommit, codeVersion, describeMachine } from "#core/provenance.ts";
import { findFfmpeg } from "#datasets/video/ffmpeg.ts";
import {
  checkRecorded,
  createExecutor,
  defaultCacheFolder,
  type NativeEngine,
  recordedLibrary,
} from "#engine/index.ts";
import { defineCommand } from "./command.ts";

/** "absent" is what nothing needs: the detail says what it would be good for. */
type Finding = { readonly name: string; readonly state: "ok" | "absent" | "missing"; readonly detail: string };

async function check(name: string, look: () => Promise<string> | string): Promise<Finding> {
  try {
    return { name, state: "ok", detail: await look() };
  } catch (error) {
    if (error instanceof UserError) return { name, state: "missing", detail: error.message };
    return { name, state: "missing", detail: (error as Error).message };
  }
}

async function start(kind: "auto" | "onnxruntime" | NativeEngine): Promise<string> {
  const executor = await createExecutor({ kind });
  await executor.dispose();
  return executor.reason;
}

const uses: Readonly<Record<NativeEngine, string>> = {
  tensorflow: "fastest on CPUs, NVIDIA GPUs, training on several machines",
  xla: "GPUs and TPUs through any PJRT plugin, less memory on CPUs",
};

/** A native engine: there, whole as at set-up, and able to start. */
async function native(engine: NativeEngine): Promise<Finding> {
  const cacheFolder = defaultCacheFolder();
  if (recordedLibrary(cacheFolder, engine) === undefined) {
    const detail = `${uses[engine]}: npx armature engine setup ${engine} [--gpu]`;
    return { name: engine, state: "absent", detail };
  }
  return check(engine, async () => {
    const library = recordedLibrary(cacheFolder, engine)!;
    await checkRecorded(engine, library, true);
    return `${await start(engine)} (${library.source})`;
  });
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
      await check("onnxruntime", () => start("onnxruntime")),
      await native("tensorflow"),
      await native("xla"),
      await check("engine", () => start("auto")),
    ];
    for (const { name, state, detail } of findings) print(`${state.padEnd(7)} ${name.padEnd(11)} ${detail}`);
    result(findings);
    if (findings.some(({ state }) => state === "missing")) process.exitCode = 2;
  },
});
