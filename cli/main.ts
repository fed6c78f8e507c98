/** @file The command line: finds the command, reads its configuration, runs it and turns errors into one sentence. */
import { systemClock } from "#core/clock.ts";
import { flagsOf, parseFlags, readValue, setPath } from "#core/config/flags.ts";
import { nearest } from "#core/config/nearest.ts";
import { resolveConfig } from "#core/config/resolve.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import { createProgress } from "#core/progress.ts";
import type { Command, Context } from "./command.ts";
import { commands } from "./commands.ts";
import { commandHelp, overviewHelp } from "./help.ts";

const commonFlags = { help: "boolean", json: "boolean", config: "string", preset: "string" } as const;

/** The command that the first one or two words name. */
function findCommand(words: readonly string[]): { name: string; rest: readonly string[] } {
  const two = words.slice(0, 2).join(" ");
  if (words.length >= 2 && two in commands) return { name: two, rest: words.slice(2) };
  const [one = ""] = words;
  if (one in commands) return { name: one, rest: words.slice(1) };
  const family = Object.keys(commands).filter((name) => name.startsWith(`${one} `));
  const typed = words.slice(0, family.length > 0 ? 2 : 1).join(" ");
  const close = nearest(two, Object.keys(commands)) ?? nearest(one, Object.keys(commands));
  const hint = family.length > 0 ? `Known: ${family.join(", ")}.` : close ? `Did you mean "${close}"?` : "See --help.";
  throw new ConfigError(`armature: "${typed}" is not a command. ${hint}`);
}

function createContext(commandLine: string, json: boolean, signal: AbortSignal): Context {
  const line = (text: string) => process.stderr.write(`${text}\n`);
  return {
    log: { info: line, warn: (text) => line(`warning: ${text}`) },
    clock: systemClock,
    signal,
    json,
    commandLine,
    progress: (label, total, unit) =>
      createProgress({ label, total, unit, output: process.stderr, clock: systemClock }),
    print: (text) => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    result: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

/** Ctrl-C once: the command saves and returns; twice: it ends at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\nstopping (once more: at once)\n");
    controller.abort(new DOMException("stopped by the user", "AbortError"));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

async function runCommand(words: readonly string[]): Promise<number> {
  if (words.length === 0 || words[0] === "--help" || words[0] === "-h" || words[0] === "help") {
    const rows: [string, string][] = [];
    for (const [name, load] of Object.entries(commands)) rows.push([name, (await load()).summary]);
    process.stdout.write(`${overviewHelp(rows)}\n`);
    return 0;
  }
  const { name, rest } = findCommand(words);
  const command: Command = await commands[name]!();
  const flags = flagsOf(command.config);
  const { values, extra, positionals } = parseFlags(rest, flags, commonFlags);
  if (extra.help === true) {
    process.stdout.write(`${commandHelp(name, command)}\n`);
    return 0;
  }
  const fields = command.positionals ?? [];
  if (positionals.length > fields.length) {
    throw new ConfigError(
      `armature ${name}: takes ${fields.length} bare words, got "${positionals.join(" ")}". See --help.`,
    );
  }
  for (const [index, word] of positionals.entries()) {
    const flag = flags.find(({ name: field }) => field === fields[index])!;
    setPath(values, flag.name, readValue(flag, word));
  }
  const config = resolveConfig(command.config, {
    presets: command.presets,
    preset: extra.preset as string | undefined,
    file: extra.config as string | undefined,
    flags: values,
  });
  const signal = stopSignal();
  await command.run(config, createContext(`armature ${words.join(" ")}`, extra.json === true, signal));
  return signal.aborted ? 130 : Number(process.exitCode ?? 0);
}

/** Exit status: 0 done, 1 a bug, 2 something that the user can mend, 130 stopped. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    return await runCommand(words);
  } catch (error) {
    if (error instanceof UserError) {
      process.stderr.write(`${error.message}\n`);
      return 2;
    }
    if ((error as Error | undefined)?.name === "AbortError") {
      process.stderr.write("stopped. The same command goes on.\n");
      return 130;
    }
    process.stderr.write(`${(error as Error)?.stack ?? error}\n`);
    return 1;
  }
}
