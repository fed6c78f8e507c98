/** @file MCAP recordings as Foxglove and Rerun open them: JSON messages with their JSON schemas, chunks with an index. */
import { type FileHandle, open } from "node:fs/promises";
import zstd from "@foxglove/wasm-zstd";
import { McapWriter } from "@mcap/core";
import { writeFailure } from "#core/write-whole.ts";

export type JsonChannel = {
  readonly topic: string;
  /** "foxglove.CompressedImage" and the like. */
  readonly schemaName: string;
  readonly schema: object;
};

export type McapRecorder = {
  /** @returns id for `write` */
  addChannel(channel: JsonChannel): Promise<number>;
  /** Appends one message; `message` must be a plain JSON value. */
  write(channelId: number, stampNs: bigint, message: unknown): Promise<void>;
  /** Free text facts, found by name. */
  addMetadata(name: string, facts: Readonly<Record<string, string>>): Promise<void>;
  /** Writes index and footer. */
  close(): Promise<void>;
};

/**
 * Starts a recording. Bytes are on disk chunk by chunk, so that a killed process loses the last chunk at most.
 *
 * @throws UserError when the place cannot be written or the disk is full
 */
export async function createMcapRecorder(
  path: string,
  options: { readonly chunkBytes?: number } = {},
): Promise<McapRecorder> {
  await zstd.isLoaded;
  const file = await open(path, "w").catch((cause) => {
    throw writeFailure(path, cause);
  });
  const writer = new McapWriter({
    writable: fileWritable(path, file),
    chunkSize: options.chunkBytes ?? 1 << 20,
    compressChunk: (data) => ({ compression: "zstd", compressedData: zstd.compress(data, 3) }),
  });
  await writer.start({ profile: "", library: "armature" });
  const encoder = new TextEncoder();
  const sequences = new Map<number, number>();
  // The writer must not be called before it has answered: calls stand in line.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    addChannel: ({ topic, schemaName, schema }) =>
      inTurn(async () => {
        const data = encoder.encode(JSON.stringify(schema));
        const schemaId = await writer.registerSchema({ name: schemaName, encoding: "jsonschema", data });
        return writer.registerChannel({ schemaId, topic, messageEncoding: "json", metadata: new Map() });
      }),
    write: (channelId, stampNs, message) =>
      inTurn(async () => {
        const sequence = sequences.get(channelId) ?? 0;
        sequences.set(channelId, sequence + 1);
        const data = encoder.encode(JSON.stringify(message));
        await writer.addMessage({ channelId, sequence, logTime: stampNs, publishTime: stampNs, data });
      }),
    addMetadata: (name, facts) => inTurn(() => writer.addMetadata({ name, metadata: new Map(Object.entries(facts)) })),
    close: () =>
      inTurn(async () => {
        await writer.end();
        await file.sync();
        await file.close();
      }),
  };
}

/** Where an MCAP writer puts its bytes. */
export function fileWritable(path: string, file: FileHandle) {
  let position = 0n;
  return {
    position: () => position,
    async write(bytes: Uint8Array) {
      await file.write(bytes, 0, bytes.length, Number(position)).catch((cause) => {
        throw writeFailure(path, cause);
      });
      position += BigInt(bytes.length);
    },
  };
}
