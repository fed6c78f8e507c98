import { createHash } from "node:crypto";
import type { HostInput } from "../inputs.ts";

export type Batch = Readonly<Record<string, HostInput>>;

/** The batch of a given index: always the same one, in arrays of its own. */
export type BatchAt = (index: number) => Batch | Promise<Batch>;

/** Asks for batches ahead of their use and hands them out in order. */
export type Prefetch = {
  next(): Promise<Batch>;
  /** Starts on the batches ahead; called while the executor works. */
  fill(): void;
};

export function createPrefetch(batchAt: BatchAt, from: number, until: number, ahead: number): Prefetch {
  const queue: Promise<Batch>[] = [];
  let index = from;
  const start = () => {
    const batch = (async (at: number) => batchAt(at))(index++);
    batch.catch(() => {}); // whoever takes it sees the error
    queue.push(batch);
  };
  return {
    next() {
      if (queue.length === 0) start();
      return queue.shift()!;
    },
    fill() {
      while (queue.length < ahead && index < until) start();
    },
  };
}

/** Twelve hex digits that tell batches apart. */
export function fingerprint(batch: Batch): string {
  const hash = createHash("sha256");
  for (const [name, value] of Object.entries(batch)) {
    const data = typeof value === "number" ? Float64Array.of(value) : ArrayBuffer.isView(value) ? value : value.data;
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex").slice(0, 12);
}
