/** @file ROS recordings, whatever the storage: ROS 1 bags, ROS 2 bags in sqlite3 or MCAP, read message by message. */
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "#core/errors.ts";
import type { Bag } from "./bag-types.ts";

export type { Bag, BagMessage } from "./bag-types.ts";

const magics = [
  { format: "rosbag1", bytes: Buffer.from("#ROSBAG V2.0") },
  { format: "rosbag2-sqlite3", bytes: Buffer.from("SQLite format 3\0") },
  { format: "rosbag2-mcap", bytes: Buffer.from([0x89, 0x4d, 0x43, 0x41, 0x50]) },
] as const;

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `the recording is missing (${cause.code}). Check the path.`, { cause });
  });
  try {
    const head = Buffer.alloc(16);
    await file.read(head, 0, 16, 0);
    return head;
  } finally {
    await file.close();
  }
}

/** The one storage file of a ROS 2 recording's folder. */
async function storageFile(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isDirectory()) return path;
  const files = (await readdir(path)).filter((name) => /\.(db3|mcap|bag)$/.test(name)).sort();
  if (files.length !== 1) {
    throw new FormatError(
      path,
      `must hold one recording (.db3, .mcap, .bag), holds ${files.join(", ") || "none"}. Name the file.`,
    );
  }
  return join(path, files[0]!);
}

/**
 * Opens a ROS 1 or ROS 2 recording: a file, or a folder that holds one.
 *
 * @throws FormatError when it is missing, cut or no recording
 */
export async function openBag(path: string): Promise<Bag> {
  const file = await storageFile(path);
  const head = await headOf(file);
  const format = magics.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes))?.format;
  switch (format) {
    case "rosbag1":
      return (await import("./ros1.ts")).openRos1Bag(file);
    case "rosbag2-sqlite3":
      return (await import("./ros2-sqlite.ts")).openSqliteBag(file);
    case "rosbag2-mcap":
      return (await import("./ros2-mcap.ts")).openMcapBag(file);
    default:
      throw new FormatError(file, "must be a ROS recording (.bag, .db3, .mcap), but does not begin like one.");
  }
}
