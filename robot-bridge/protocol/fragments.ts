import { FormatError } from "#core/errors.ts";
import { defaultMaxMessageBytes, type OperationOf } from "./operations.ts";

export type FragmentLimits = {
  /** Characters of one reassembled message. */
  readonly maxBytes: number;
  /** Messages that may be incomplete at once; the oldest goes first. */
  readonly maxMessages: number;
  /** How long an incomplete message is kept. */
  readonly timeoutMs: number;
};

const defaultFragmentLimits: FragmentLimits = {
  maxBytes: defaultMaxMessageBytes,
  maxMessages: 16,
  timeoutMs: 10_000,
};

/** Real servers cut at megabytes; empty pieces cost memory too. */
const maxPieces = 65_536;

type Incomplete = {
  readonly parts: Map<number, string>;
  readonly total: number;
  readonly startedNs: bigint;
  size: number;
};

/**
 * Puts `fragment` messages together again. Everything is bounded: pieces that never become whole are thrown away by
 * count, size and age.
 */
export class FragmentAssembler {
  private readonly limits: FragmentLimits;
  private readonly incomplete = new Map<string, Incomplete>();

  constructor(limits: FragmentLimits = defaultFragmentLimits) {
    this.limits = limits;
  }

  get pending(): number {
    return this.incomplete.size;
  }

  /**
   * @returns the whole text when `fragment` was the last missing piece, else null
   * @throws FormatError when pieces contradict each other or the whole grows too long; the message is forgotten
   */
  add(fragment: OperationOf<"fragment">, nowNs: bigint): string | null {
    this.forgetOld(nowNs);
    const total = Math.floor(fragment.total);
    const started = this.incomplete.get(fragment.id);
    const message = started ?? { parts: new Map<number, string>(), total, startedNs: nowNs, size: 0 };
    if (message.total !== total || fragment.num >= total || total > maxPieces) {
      this.incomplete.delete(fragment.id);
      throw new FormatError("rosbridge fragment", `piece ${fragment.num} of ${total} does not fit its message.`);
    }
    const before = message.parts.get(fragment.num);
    message.size += fragment.data.length - (before?.length ?? 0);
    message.parts.set(fragment.num, fragment.data);
    if (message.size > this.limits.maxBytes) {
      this.incomplete.delete(fragment.id);
      throw new FormatError("rosbridge fragment", `the whole must have at most ${this.limits.maxBytes} bytes.`);
    }
    if (message.parts.size < total) {
      if (!started) this.start(fragment.id, message);
      return null;
    }
    this.incomplete.delete(fragment.id);
    return Array.from({ length: total }, (_, index) => message.parts.get(index) ?? "").join("");
  }

  private start(id: string, message: Incomplete): void {
    if (this.incomplete.size >= this.limits.maxMessages) {
      const oldest = this.incomplete.keys().next().value;
      if (oldest !== undefined) this.incomplete.delete(oldest);
    }
    this.incomplete.set(id, message);
  }

  private forgetOld(nowNs: bigint): void {
    const limitNs = BigInt(Math.round(this.limits.timeoutMs * 1e6));
    for (const [id, { startedNs }] of this.incomplete) if (nowNs - startedNs > limitNs) this.incomplete.delete(id);
  }
}

/** Cuts a message into `fragment` operations of at most `size` characters of payload each. */
export function splitIntoFragments(text: string, id: string, size: number): OperationOf<"fragment">[] {
  const total = Math.max(1, Math.ceil(text.length / size));
  return Array.from({ length: total }, (_, num) => {
    return { op: "fragment" as const, id, data: text.slice(num * size, (num + 1) * size), num, total };
  });
}
