/** @file Command-line flags derived from a schema: one per leaf, named by its path (`--model.width`). */
import { parseArgs } from "node:util";
import { z } from "zod";
import { ConfigError } from "../errors.ts";
import { nearest } from "./nearest.ts";

export type Flag = {
  /** Dotted path in the configuration. */
  readonly name: string;
  /** `list`: words between commas; `numbers`: numbers between commas. */
  readonly type: "number" | "boolean" | "string" | "list" | "numbers" | "json";
  readonly description: string;
  readonly default: unknown;
  readonly choices: readonly string[] | undefined;
  readonly required: boolean;
};

type JsonSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
};

const typeNames: Readonly<Record<string, Flag["type"]>> = {
  number: "number",
  integer: "number",
  boolean: "boolean",
  string: "string",
};

function typeOf(schema: JsonSchema): Flag["type"] {
  const options = schema.anyOf ?? [schema];
  const types = new Set(options.map((option) => option.type));
  if (types.size === 1) {
    const [type] = types;
    const item = type === "array" ? typeNames[schema.items?.type ?? ""] : undefined;
    if (item === "string") return "list";
    if (item === "number") return "numbers";
    return typeNames[type ?? ""] ?? "json";
  }
  return "json";
}

function choicesOf(schema: JsonSchema): string[] | undefined {
  const listed = schema.enum ?? schema.anyOf?.map((option) => option.const);
  return listed?.every((choice) => choice !== undefined) ? listed.map(String) : undefined;
}

function collect(schema: JsonSchema, path: string, defaults: unknown): Flag[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]): Flag[] => {
    const name = path === "" ? key : `${path}.${key}`;
    const given = (defaults as Record<string, unknown> | undefined)?.[key] ?? field.default;
    if (field.properties) return collect(field, name, given);
    return [
      {
        name,
        type: typeOf(field),
        description: field.description ?? "",
        default: given,
        choices: choicesOf(field),
        required: schema.required?.includes(key) ?? false,
      },
    ];
  });
}

/** Lists the flags of a configuration, in the order of its fields. */
export function flagsOf(schema: z.ZodType): Flag[] {
  return collect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema, "", undefined);
}

/** Sets `value` at a dotted path of a plain nested object. */
export function setPath(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split(".");
  let branch = target;
  for (const key of keys.slice(0, -1)) {
    if (typeof branch[key] !== "object" || branch[key] === null) branch[key] = {};
    branch = branch[key] as Record<string, unknown>;
  }
  branch[keys.at(-1)!] = value;
}

function readNumber(flag: Flag, text: string, wanted: string): number {
  const value = Number(text);
  if (text.trim() !== "" && !Number.isNaN(value)) return value;
  throw new ConfigError(`--${flag.name}: must be ${wanted}, got "${text}". ${flag.description}.`);
}

/** The value that `text` means for a flag. @throws ConfigError when it means none */
export function readValue(flag: Flag, text: string): unknown {
  if (flag.type === "string") return text;
  if (flag.type === "list") return text === "" ? [] : text.split(",");
  if (flag.type === "number") return readNumber(flag, text, "a number");
  if (flag.type === "numbers") {
    const parts = text.replace(/^\[(.*)\]$/, "$1");
    return parts === "" ? [] : parts.split(",").map((part) => readNumber(flag, part, "numbers separated by commas"));
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`--${flag.name}: must be JSON, got "${text}". ${flag.description}.`, { cause });
  }
}

export type ParsedFlags = {
  /** Nested values of the configuration's flags that were given. */
  readonly values: Record<string, unknown>;
  /** Values of the extra flags that were given. */
  readonly extra: Readonly<Record<string, string | boolean>>;
  readonly positionals: readonly string[];
};

/**
 * Reads a command line strictly.
 *
 * @param extra flags beside the configuration's own: "boolean" or "string"
 * @throws ConfigError for an unknown flag (with the nearest known one), a missing or malformed value
 */
export function parseFlags(
  words: readonly string[],
  flags: readonly Flag[],
  extra: Readonly<Record<string, "boolean" | "string">> = {},
): ParsedFlags {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const options = {
    ...Object.fromEntries(
      flags.map(({ name, type }) => [name, { type: type === "boolean" ? "boolean" : "string" } as const]),
    ),
    ...Object.fromEntries(Object.entries(extra).map(([name, type]) => [name, { type }])),
  };
  const parsed = parseStrictly(words, options);
  const values: Record<string, unknown> = {};
  const others: Record<string, string | boolean> = {};
  for (const [name, value] of Object.entries(parsed.values)) {
    const flag = byName.get(name);
    if (flag === undefined) others[name] = value as string | boolean;
    else setPath(values, name, typeof value === "boolean" ? value : readValue(flag, value as string));
  }
  return { values, extra: others, positionals: parsed.positionals };
}

type Options = Readonly<Record<string, { readonly type: "boolean" | "string" }>>;

function parseStrictly(words: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...words], options, strict: true, allowPositionals: true, allowNegative: true });
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
      const name = /'--?([^'=\s]+)/.exec(message)?.[1] ?? "";
      throw new ConfigError(`--${name}: is not a flag of this command. ${suggestion(name, Object.keys(options))}`);
    }
    if (code?.startsWith("ERR_PARSE_ARGS") !== true) throw cause;
    const name = /'(?:-\w, )?--([^'=\s]+)/.exec(message)?.[1];
    throw new ConfigError(
      name === undefined
        ? `command line: ${message}`
        : `--${name}: needs ${options[name]?.type === "boolean" ? "no value" : "a value"}. Write --${name}${
            options[name]?.type === "boolean" ? "" : "=VALUE"
          }.`,
    );
  }
}

/** "Did you mean ...?" or how to see all flags. */
export function suggestion(name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return close === undefined ? "See --help." : `Did you mean --${close}?`;
}
