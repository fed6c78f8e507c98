/** @file From defaults, preset, file and flags to one checked configuration. */
import { readFileSync } from "node:fs";
import type { z } from "zod";
import { ConfigError } from "../errors.ts";
import { nearest } from "./nearest.ts";

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** `over` wins leaf by leaf; arrays are leaves. */
export function mergeConfig(under: Plain, over: Plain): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isPlain(below) && isPlain(value) ? mergeConfig(below, value) : value;
  }
  return merged;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((branch, key) => (branch as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function mustHold(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${issue.expected === "int" ? "a whole number" : `of type ${issue.expected}`}`;
    case "too_small":
      return `must be ${issue.inclusive === false ? "above" : "at least"} ${issue.minimum}`;
    case "too_big":
      return `must be ${issue.inclusive === false ? "below" : "at most"} ${issue.maximum}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => show(value)).join(" or ")}`;
    default:
      return issue.message;
  }
}

/** One line per problem, with the value that was found. */
export function describeIssues(subject: string, issues: readonly z.core.$ZodIssue[], input: unknown): string {
  return issues
    .map((issue) => {
      const path = issue.path.join(".");
      if (issue.code === "unrecognized_keys") {
        const where = path === "" ? subject : `${subject}: ${path}`;
        return `${where}: unknown key ${issue.keys.map((key) => `"${key}"`).join(", ")}.`;
      }
      if (issue.code === "custom") return `${subject}: ${path === "" ? "" : `${path}: `}${issue.message}`;
      return `${subject}: ${path || "value"}: ${mustHold(issue)}, got ${show(at(input, issue.path))}.`;
    })
    .join("\n");
}

/**
 * Checks a plain value against a schema.
 *
 * @throws ConfigError that names every field that does not fit
 */
export function parseConfig<S extends z.ZodType>(schema: S, input: unknown, subject = "config"): z.infer<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigError(describeIssues(subject, result.error.issues, input));
}

function readConfigFile(path: string): Plain {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(`--config: ${path} cannot be read. Check the path.`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`--config: ${path} must be JSON, got ${(cause as Error).message}.`, { cause });
  }
  if (isPlain(value)) return value;
  throw new ConfigError(`--config: ${path} must hold a JSON object, got ${show(value)}.`);
}

export type ConfigSources = {
  readonly presets?: Readonly<Record<string, Plain>> | undefined;
  readonly preset?: string | undefined;
  readonly file?: string | undefined;
  readonly flags?: Plain | undefined;
};

/** Default < preset < file < flags. @throws ConfigError naming what is wrong */
export function resolveConfig<S extends z.ZodType>(schema: S, sources: ConfigSources): z.infer<S> {
  const { presets = {}, preset, file, flags = {} } = sources;
  let input: Plain = {};
  if (preset !== undefined) {
    const chosen = Object.hasOwn(presets, preset) ? presets[preset] : undefined;
    if (chosen === undefined) {
      const names = Object.keys(presets);
      const close = nearest(preset, names);
      const hint = close === undefined ? `Known: ${names.join(", ") || "none"}.` : `Did you mean "${close}"?`;
      throw new ConfigError(`--preset: "${preset}" is not a preset of this command. ${hint}`);
    }
    input = chosen;
  }
  if (file !== undefined) input = mergeConfig(input, readConfigFile(file));
  return parseConfig(schema, mergeConfig(input, flags));
}
