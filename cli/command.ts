import type { z } from "zod";
import type { Clock } from "#core/clock.ts";
import type { Log } from "#core/log.ts";
import type { Progress } from "#core/progress.ts";

/** What a command may use of the outside world. */
export type Context = {
  /** Lines for people, on stderr. */
  readonly log: Log;
  readonly clock: Clock;
  /** Fires on Ctrl-C: save, let go, return. */
  readonly signal: AbortSignal;
  /** True under `--json`. */
  readonly json: boolean;
  /** The words that were typed, for manifests and results. */
  readonly commandLine: string;
  progress(label: string, total: number, unit: string): Progress;
  /** A line of the command's answer, on stdout; left out under `--json`. */
  print(line: string): void;
  /** The command's answer for programs: one line of JSON on stdout, under `--json` alone. */
  result(value: unknown): void;
};

export type Command<S extends z.ZodObject = z.ZodObject> = {
  readonly summary: string;
  readonly config: S;
  readonly presets?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Configuration fields that may be given as bare words, in order. */
  readonly positionals?: readonly string[];
  readonly example: string;
  run(config: z.infer<S>, context: Context): Promise<void>;
};

/** Keeps the configuration's type. */
export const defineCommand = <S extends z.ZodObject>(command: Command<S>): Command<S> => command;
