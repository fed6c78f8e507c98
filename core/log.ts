/** Lines for people. A long command writes them to stderr; results go to stdout. */
export type Log = {
  info(line: string): void;
  warn(line: string): void;
};

export const silentLog: Log = { info: () => undefined, warn: () => undefined };
