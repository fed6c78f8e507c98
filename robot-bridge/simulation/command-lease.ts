import { nsFromMs } from "../protocol/stamp.ts";

/** One controller at a time: who commands the arm keeps it until it has been silent for a while. */
export class CommandLease {
  private readonly silenceNs: bigint;
  private holder: { readonly name: string; readonly lastNs: bigint } | null = null;

  constructor({ silenceMs = 1000 }: { silenceMs?: number } = {}) {
    this.silenceNs = nsFromMs(silenceMs);
  }

  /** @returns whether `name` may command now */
  take(name: string, nowNs: bigint): boolean {
    const holder = this.current(nowNs);
    if (holder !== null && holder !== name) return false;
    this.holder = { name, lastNs: nowNs };
    return true;
  }

  /** The holder has gone. */
  release(name: string): void {
    if (this.holder?.name === name) this.holder = null;
  }

  /** Who commands now, or null. */
  current(nowNs: bigint): string | null {
    return this.holder && nowNs - this.holder.lastNs <= this.silenceNs ? this.holder.name : null;
  }
}
