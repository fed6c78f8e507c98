import { type Flag, flagsOf } from "#core/config/flags.ts";
import type { Command } from "./command.ts";

const show = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

function describe(flag: Flag): string {
  const parts = [flag.description];
  if (flag.choices !== undefined) parts.push(`one of ${flag.choices.join(", ")}`);
  const isEmpty = flag.default === undefined || flag.default === "" || show(flag.default) === "[]";
  if (!isEmpty) parts.push(`default ${show(flag.default)}`);
  else if (flag.required) parts.push("required");
  return parts.filter((part) => part !== "").join("; ");
}

const common: readonly (readonly [string, string])[] = [
  ["--config FILE", "JSON file with the same fields; flags win over it"],
  ["--json", "one line of JSON on stdout as the last line"],
  ["--help", "this text"],
];

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(36, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

/** The help text of one command. */
export function commandHelp(name: string, command: Command): string {
  const flags = flagsOf(command.config);
  const words = (command.positionals ?? []).map((field) => ` [${field.toUpperCase()}]`).join("");
  const rows = flags.map(
    (flag) =>
      [`--${flag.name}${flag.type === "boolean" ? "" : ` ${flag.type.toUpperCase()}`}`, describe(flag)] as const,
  );
  const presets = Object.keys(command.presets ?? {});
  const presetRow = presets.length === 0 ? [] : [["--preset NAME", `start from ${presets.join(", ")}`] as const];
  return [
    `armature ${name}: ${command.summary}`,
    "",
    `Usage: npx armature ${name}${words} [--key value ...]`,
    `Example: npx armature ${command.example}`,
    "",
    columns([...rows, ...presetRow, ...common]),
  ].join("\n");
}

/** The list of all commands. */
export function overviewHelp(commands: readonly (readonly [name: string, summary: string])[]): string {
  return [
    "armature: latent actions from videos, few demonstrations, a moving arm",
    "",
    "Usage: npx armature COMMAND [--key value ...]; COMMAND --help for its flags",
    "",
    columns(commands),
  ].join("\n");
}
