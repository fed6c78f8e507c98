import { nsFromMs, secondsFromNs } from "../protocol/stamp.ts";

/** Where the joints are to be: `rows[i]` (rad[J]) at `startNs + i stepS`, straight lines between. At least one row. */
export type JointPath = {
  readonly startNs: bigint;
  readonly stepS: number;
  readonly rows: readonly Float64Array[];
};

export type PathSample = {
  readonly positions: Float64Array;
  /** The path has no more rows: its end is where the arm is to stay. */
  readonly isOver: boolean;
};

/** Position on a path; before its start the first row, after its end the last. */
export function samplePath({ startNs, stepS, rows }: JointPath, atNs: bigint): PathSample {
  const place = secondsFromNs(atNs - startNs) / stepS;
  const last = rows.length - 1;
  if (last === 0 || place >= last) return { positions: rows[last]!.slice(), isOver: true };
  const below = Math.max(0, Math.floor(place));
  const share = Math.max(0, place) - below;
  const [from, to] = [rows[below]!, rows[below + 1]!];
  return { positions: from.map((value, joint) => value + share * (to[joint]! - value)), isOver: false };
}

export const pathEndNs = ({ startNs, stepS, rows }: JointPath): bigint =>
  startNs + nsFromMs(1000 * stepS * (rows.length - 1));

/** Goes from 1 to 0 with no speed at either end. */
const fade = (share: number): number => {
  const eased = Math.min(1, Math.max(0, share));
  return 1 - eased * eased * (3 - 2 * eased);
};

/**
 * The path that is being followed. A new chunk's path replaces it by time: what of the new path lies in the past is never
 * followed, and the jump between old and new path at that moment fades out over `blendMs`, so that the arm sees no seam.
 */
export class PathFollower {
  private readonly blendNs: bigint;
  private path: JointPath | null = null;
  private jump: Float64Array | null = null;
  private splicedNs = 0n;

  constructor({ blendMs }: { blendMs: number }) {
    this.blendNs = nsFromMs(blendMs);
  }

  /** @returns false when the whole path lies in the past: it is dropped and the old one stays */
  follow(path: JointPath, nowNs: bigint): boolean {
    if (pathEndNs(path) <= nowNs) return false;
    const before = this.sample(nowNs);
    const after = samplePath(path, nowNs);
    this.jump = before ? before.positions.map((value, joint) => value - after.positions[joint]!) : null;
    this.splicedNs = nowNs;
    this.path = path;
    return true;
  }

  /** @returns null when there is no path */
  sample(atNs: bigint): PathSample | null {
    if (!this.path) return null;
    const { positions, isOver } = samplePath(this.path, atNs);
    const sinceNs = atNs - this.splicedNs;
    if (!this.jump || sinceNs >= this.blendNs) return { positions, isOver };
    const left = fade(Number(sinceNs) / Number(this.blendNs));
    return { positions: positions.map((value, joint) => value + left * this.jump![joint]!), isOver: false };
  }

  clear(): void {
    this.path = null;
    this.jump = null;
  }
}

/** What was commanded when: short memory, so that a chunk can start where the arm was told to be at its observation. */
export class CommandHistory {
  private readonly keptNs: bigint;
  private entries: { readonly atNs: bigint; readonly positions: Float64Array }[] = [];

  constructor({ keptMs = 5000 }: { keptMs?: number } = {}) {
    this.keptNs = nsFromMs(keptMs);
  }

  add(atNs: bigint, positions: ArrayLike<number>): void {
    this.entries.push({ atNs, positions: Float64Array.from(positions) });
    const firstKept = this.entries.findIndex((entry) => atNs - entry.atNs <= this.keptNs);
    if (firstKept > 64) this.entries = this.entries.slice(firstKept);
  }

  /** Commanded joints at a time, straight lines between commands; the oldest or newest one outside. */
  at(atNs: bigint): Float64Array | null {
    let after = this.entries.length - 1;
    if (after < 0) return null;
    while (after > 0 && this.entries[after - 1]!.atNs >= atNs) after -= 1;
    const [from, to] = [this.entries[Math.max(0, after - 1)]!, this.entries[after]!];
    const spanNs = Number(to.atNs - from.atNs);
    const share = spanNs > 0 ? Math.min(1, Math.max(0, Number(atNs - from.atNs) / spanNs)) : 1;
    return from.positions.map((value, joint) => value + share * (to.positions[joint]! - value));
  }

  clear(): void {
    this.entries = [];
  }
}
