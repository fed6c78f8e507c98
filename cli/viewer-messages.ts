import { parse as parseRosDefinition } from "@foxglove/rosmsg";
import { MessageReader } from "@foxglove/rosmsg2-serialization";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor.js";

/** @file Messages of recordings: bytes to plain values by the encoding that their channel names, and numbers out of them. */

export type Channel = { readonly topic: string; readonly messageEncoding: string };
export type Schema = { readonly name: string; readonly encoding: string; readonly data: Uint8Array };

export type Decode = (data: Uint8Array) => unknown;

const text = new TextDecoder();

function protobufDecoder({ name, data }: Schema): Decode {
  const type = protobuf.Root.fromDescriptor(data).lookupType(name);
  return (bytes) => type.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true });
}

function cdrDecoder({ data }: Schema): Decode {
  const reader = new MessageReader(parseRosDefinition(text.decode(data), { ros2: true }));
  return (bytes) => reader.readMessage(bytes);
}

/**
 * Finds how a channel's messages are read: JSON, ROS 2 (CDR) or Protobuf.
 *
 * @returns `null` for an encoding that is not known here
 * @throws Error when the schema does not follow its own encoding
 */
export function findDecoder({ messageEncoding }: Channel, schema: Schema | undefined): Decode | null {
  if (messageEncoding === "json") return (bytes) => JSON.parse(text.decode(bytes));
  if (messageEncoding === "cdr" && schema?.encoding === "ros2msg") return cdrDecoder(schema);
  if (messageEncoding === "protobuf" && schema?.encoding === "protobuf") return protobufDecoder(schema);
  return null;
}

const plainName = (schema: string) => schema.replace("/msg/", "/").replace(".", "/").toLowerCase();

/** `foxglove.CompressedImage`, `sensor_msgs/msg/CompressedImage` and the like. */
export const isPicture = (schema: string) => plainName(schema).endsWith("/compressedimage");
export const isText = (schema: string) => plainName(schema) === "std_msgs/string";

/** The bytes of a picture; JSON has them in base64. */
export function pictureOf(message: unknown): Uint8Array | null {
  const { data } = message as { data?: unknown };
  if (typeof data === "string") return Buffer.from(data, "base64");
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null;
}

/** Longer lists than this are no channels to plot (scans, point clouds, grids). */
const longestList = 32;
const mostChannels = 64;
/** What says when and where, not what. */
const framing = new Set(["header", "stamp", "timestamp", "frame_id", "layout"]);

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
const isList = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || ArrayBuffer.isView(value);

/** Numbers of a message by name: `pose.position.x`, `shoulder position`, `data[2]`. Lists that are too long are left out. */
export function numbersOf(message: unknown): Map<string, number> {
  const numbers = new Map<string, number>();
  const add = (name: string, value: unknown) => {
    if (numbers.size < mostChannels) numbers.set(name || "value", Number(value));
  };
  const walk = (value: unknown, name: string): void => {
    if (["number", "bigint", "boolean"].includes(typeof value)) add(name, value);
    else if (isList(value) && value.length <= longestList) walkList(value, name);
    else if (isFields(value)) walkFields(value, name);
  };
  const walkList = (list: ArrayLike<unknown>, name: string) => {
    for (let index = 0; index < list.length; index++) {
      const item = list[index];
      // Lists of { label, value } name their own channels.
      if (isFields(item) && typeof item.label === "string") walk(item.value ?? Number.NaN, item.label);
      else walk(item, `${name}[${index}]`);
    }
  };
  const walkFields = (fields: Fields, name: string) => {
    // Joint states name the rows of their other lists.
    const rows = isList(fields.name) && typeof fields.name[0] === "string" ? (fields.name as string[]) : null;
    for (const [key, value] of Object.entries(fields)) {
      if (framing.has(key) || (rows && key === "name")) continue;
      if (rows && isList(value) && value.length === rows.length) {
        for (let row = 0; row < rows.length; row++) walk(value[row], `${rows[row]} ${key}`);
      } else walk(value, name ? `${name}.${key}` : key);
    }
  };
  walk(message, "");
  return numbers;
}
