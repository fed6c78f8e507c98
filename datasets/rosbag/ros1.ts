import { type FileHandle, open } from "node:fs/promises";
import rosbag from "@foxglove/rosbag";
import lz4 from "@foxglove/wasm-lz4";
import { FormatError } from "#core/errors.ts";
import type { Bag } from "./bag-types.ts";

const mostUnpackedBytes = 2 ** 30;

function fileLike(file: FileHandle, size: number) {
  return {
    size: () => size,
    async read(offset: number, length: number) {
      if (offset + length > size) throw new Error(`${length} bytes at ${offset} lie beyond the end`);
      const bytes = Buffer.alloc(length);
      await file.read(bytes, 0, length, offset);
      return bytes;
    },
  };
}

/** @throws FormatError when the bag is cut or damaged (`rosbag reindex` mends one that was not closed) */
export async function openRos1Bag(path: string): Promise<Bag> {
  await lz4.isLoaded;
  const file = await open(path, "r");
  const { size } = await file.stat();
  const decompress = {
    lz4: (data: Uint8Array, bytes: number) => {
      if (bytes > mostUnpackedBytes) throw new Error(`a chunk of ${bytes} bytes`);
      return lz4(data, bytes);
    },
  };
  const bag = new rosbag.Bag(fileLike(file, size), { decompress, parse: true });
  try {
    await bag.open();
  } catch (cause) {
    await file.close();
    throw new FormatError(
      path,
      `the bag cannot be opened (${(cause as Error).message}). Was it closed? Try "rosbag reindex".`,
      { cause },
    );
  }
  const typeOf = new Map(
    [...bag.connections.values()].map(({ topic, type }) => [topic, (type ?? "unknown").replace("/", "/msg/")]),
  );
  return {
    ...{ path, format: "rosbag1", close: () => file.close() },
    topics: [...typeOf]
      .map(([name, type]) => ({ name, type }))
      .sort((left, right) => (left.name < right.name ? -1 : 1)),
    async *messages(topics) {
      for (const topic of topics ?? []) {
        if (!typeOf.has(topic))
          throw new FormatError(path, `has no topic "${topic}"; it has ${[...typeOf.keys()].join(", ")}.`);
      }
      try {
        for await (const { topic, timestamp, message } of bag.messageIterator(topics ? { topics: [...topics] } : {})) {
          const stampNs = BigInt(timestamp.sec) * 1_000_000_000n + BigInt(timestamp.nsec);
          yield { topic, type: typeOf.get(topic)!, stampNs, message: message as Record<string, unknown> };
        }
      } catch (cause) {
        throw new FormatError(path, `a message cannot be read (${(cause as Error).message.slice(0, 120)}).`, { cause });
      }
    },
  };
}
