import { constants } from "node:fs";
import { chmod, copyFile, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { FormatError } from "#core/errors.ts";
import type { Bag, BagTopic } from "./bag-types.ts";
import { type Decode, ros2Decoder } from "./ros2-types.ts";

type Row = Readonly<Record<string, unknown>>;

/** Definitions that newer recordings bring, by type. */
function ownDefinitions(database: InstanceType<typeof sqlite.Database>): Map<string, string> {
  const tables = database.all("SELECT name FROM sqlite_master WHERE type = 'table'") as Row[];
  if (!tables.some(({ name }) => name === "message_definitions")) return new Map();
  const rows = database.all(
    "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions",
  ) as Row[];
  const texts = rows.filter(({ encoding }) => encoding === "ros2msg");
  return new Map(texts.map((row) => [String(row.topic_type), String(row.encoded_message_definition)]));
}

/** Bytes 18 and 19 of the header: 2 means that a write-ahead log may lie beside the file, 1 that none is used. */
const journalModeAt = 18;

/**
 * A database that was left in write-ahead mode can only be opened where it may be written. It is copied (by reference
 * where the file system can) and the mode of the copy reset.
 *
 * @returns the path to open, and how to tidy up
 */
async function readablePath(path: string): Promise<{ readonly open: string; readonly tidy: () => Promise<void> }> {
  const head = Buffer.alloc(1);
  const file = await open(path, "r");
  await file.read(head, 0, 1, journalModeAt);
  await file.close();
  if (head[0] !== 2) return { open: path, tidy: async () => undefined };
  const log = await stat(`${path}-wal`).catch(() => undefined);
  if (log && log.size > 0) {
    throw new FormatError(
      path,
      `was not closed: ${path}-wal holds what is missing. Open it once with sqlite3 to merge them.`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "armature-bag-"));
  const copy = join(folder, "bag.db3");
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  await chmod(copy, 0o600);
  const handle = await open(copy, "r+");
  await handle.write(Buffer.from([1, 1]), 0, 2, journalModeAt);
  await handle.close();
  return { open: copy, tidy: () => rm(folder, { recursive: true, force: true }) };
}

/** @throws FormatError when the file is no ROS 2 recording or damaged */
export async function openSqliteBag(path: string): Promise<Bag> {
  const place = await readablePath(path);
  let database: InstanceType<typeof sqlite.Database> | undefined;
  try {
    database = new sqlite.Database(place.open, { readOnly: true });
    const rows = database.all("SELECT id, name, type, serialization_format FROM topics") as Row[];
    const definitions = ownDefinitions(database);
    const topics = rows.map(({ id, name, type }) => ({ id: Number(id), name: String(name), type: String(type) }));
    return createBag(path, database, topics, definitions, place.tidy);
  } catch (cause) {
    database?.close();
    await place.tidy();
    throw new FormatError(
      path,
      `must be a ROS 2 recording in sqlite3, but is not or is damaged (${(cause as Error).message}).`,
      { cause },
    );
  }
}

function createBag(
  path: string,
  database: InstanceType<typeof sqlite.Database>,
  topics: readonly (BagTopic & { id: number })[],
  definitions: ReadonlyMap<string, string>,
  tidy: () => Promise<void>,
): Bag {
  return {
    ...{ path, format: "rosbag2-sqlite3" },
    topics: topics.map(({ name, type }) => ({ name, type })).sort((left, right) => (left.name < right.name ? -1 : 1)),
    async *messages(wanted) {
      const decoders = new Map<number, { topic: string; type: string; decode: Decode }>();
      for (const { id, name, type } of topics) {
        if (wanted && !wanted.includes(name)) continue;
        const decode = ros2Decoder(type, definitions.get(type));
        if (decode) decoders.set(id, { topic: name, type, decode });
        else if (wanted)
          throw new FormatError(
            path,
            `topic "${name}": the type ${type} is not known, and the recording does not bring it.`,
          );
      }
      for (const name of wanted ?? []) {
        if (!topics.some((topic) => topic.name === name)) {
          throw new FormatError(
            path,
            `has no topic "${name}"; it has ${topics.map((topic) => topic.name).join(", ")}.`,
          );
        }
      }
      let statement: ReturnType<typeof database.prepare> | undefined;
      try {
        statement = database.prepare("SELECT topic_id, timestamp, data FROM messages ORDER BY timestamp, id");
        for (const row of statement.iterate() as Iterable<Row>) {
          const decoder = decoders.get(Number(row.topic_id));
          if (!decoder) continue;
          const { topic, type, decode } = decoder;
          yield {
            topic,
            type,
            stampNs: BigInt(row.timestamp as number | bigint),
            message: decode(row.data as Uint8Array),
          };
        }
      } catch (cause) {
        throw new FormatError(path, `a message cannot be read (${(cause as Error).message.slice(0, 120)}).`, { cause });
      } finally {
        try {
          statement?.finalize();
        } catch {
          // It repeats the error of the last step.
        }
      }
    },
    async close() {
      database.close();
      await tidy();
    },
  };
}
