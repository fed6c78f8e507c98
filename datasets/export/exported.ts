/** What an export has written. */
export type Exported = {
  readonly episodes: number;
  /** What was written beside the data, relative to the folder. */
  readonly files: readonly string[];
  /** What the person must still do or know. */
  readonly notes: readonly string[];
};
