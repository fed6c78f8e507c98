/** @file The environment variables that the product reads; nothing else touches `process.env`. */

const variables = {
  FFMPEG_PATH: "path of the ffmpeg program to use instead of the one that is found",
  PATH: "folders that are searched for programs",
} as const;

export type EnvironmentVariable = keyof typeof variables;

/** Value of one variable; `undefined` when it is unset or empty. */
export const readEnvironment = (name: EnvironmentVariable): string | undefined => process.env[name] || undefined;
