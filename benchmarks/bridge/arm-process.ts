import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { SimulatedArmStatus } from "#robot-bridge/index.ts";

const program = fileURLToPath(new URL("../../bin/armature.js", import.meta.url));

type ArmCommands = SimulatedArmStatus["commands"];

export type ArmProcess = {
  readonly url: URL;
  /** Ends it as Ctrl-C does. @returns what it did, by its own count */
  end(): Promise<ArmCommands>;
  /** Ends it at once; harmless when it has ended. */
  kill(): void;
};

/** Starts `armature bridge simulate` on a free port, in a process of its own. */
export async function startArm(seed: number, split: string): Promise<ArmProcess> {
  const words = ["bridge", "simulate", "--port", "0", "--seed", String(seed), "--split", split];
  const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const url = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const address = /ws:\/\/[\d.]+:\d+/.exec(line)?.[0];
        if (address) resolve(address);
      });
    }
    child.once("exit", () => reject(new Error(`the simulated arm ended early:\n${lines.join("\n")}`)));
  });
  return { url: new URL(await url), end: () => endArm(child, lines), kill: () => child.kill("SIGKILL") };
}

async function endArm(child: ChildProcess, lines: readonly string[]): Promise<ArmCommands> {
  const ended = once(child, "close");
  child.kill("SIGINT");
  await ended;
  const last = lines.findLast((line) => line.startsWith("commands: "));
  if (last === undefined) throw new Error(`the simulated arm said nothing at its end:\n${lines.join("\n")}`);
  return JSON.parse(last.slice("commands: ".length)) as ArmCommands;
}
