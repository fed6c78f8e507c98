/** One thing that is wrong ("error": training on it fails or learns nonsense) or odd ("warning"). */
export type Finding = {
  readonly severity: "error" | "warning";
  /** Which check found it: "timestamps", "videos", "values", "statistics", "tasks", "duplicates", "splits", "metadata". */
  readonly check: string;
  readonly episode?: number;
  readonly feature?: string;
  readonly message: string;
};

export type Report = {
  readonly episodes: number;
  readonly frames: number;
  /** Errors first, then by episode. */
  readonly findings: readonly Finding[];
};

export function sortFindings(findings: readonly Finding[]): Finding[] {
  const rank = ({ severity, episode }: Finding) => (severity === "error" ? 0 : 1e9) + (episode ?? -1);
  return [...findings].sort((left, right) => rank(left) - rank(right));
}
