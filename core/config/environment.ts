/** @file The environment variables that the product reads; nothing else touches `process.env`. */

const variables = {
  ARMATURE_CACHE: "folder of engines that were set up and of compiled programs; ~/.cache/armature by default",
  FFMPEG_PATH: "path of the ffmpeg program to use instead of the one that is found",
  HOME: "where the cache folder lies by default",
  PATH: "folders that are searched for programs",
  TF_CONFIG: "the workers of a cluster and this process's place among them, as TensorFlow reads it",
  XDG_CACHE_HOME: "parent of the default cache folder",
} as const;

export type EnvironmentVariable = keyof typeof variables;

/** Value of one variable; `undefined` when it is unset or empty. */
export const readEnvironment = (name: EnvironmentVariable): string | undefined => process.env[name] || undefined;

/** What a child process gets: this process's variables and some of its own. */
export const environmentWith = (variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  ...variables,
});

/** Sets what a library reads when it is loaded into this process, unless the user has set it. */
export function setEnvironmentDefault(name: string, value: string): void {
  process.env[name] ??= value;
}
