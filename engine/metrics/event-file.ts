/**
 * @file TensorBoard event files: TFRecord frames (length, masked CRC, data, masked CRC) around Event messages
 * (tensorflow/core/util/event.proto). Only scalars are written.
 */
import { appendFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { writeFailure } from "#core/write-whole.ts";
import { bytes, type Field, float32, float64, integer, message, text } from "../protobuf.ts";
import { crc32c } from "./crc32c.ts";

/** Rotated and offset, so that the checksum of data that holds checksums is not trivial. */
function masked(data: Uint8Array): Buffer {
  const crc = crc32c(data);
  const result = Buffer.alloc(4);
  result.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return result;
}

/** Frames one record. */
export function encodeRecord(data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, masked(length), data, masked(data)]);
}

const event = (seconds: number, step: number, ...fields: Field[]) =>
  encodeRecord(Buffer.concat([float64(1, seconds), integer(2, step), ...fields]));

export type EventFile = {
  readonly path: string;
  scalars(step: number, values: Readonly<Record<string, number>>): void;
};

export type EventFileOptions = {
  readonly directory: string;
  /** First step of this session: what earlier sessions wrote from here on is not shown. */
  readonly fromStep: number;
  /** Seconds since 1970. */
  readonly now: () => number;
};

/** Starts a new event file; TensorBoard reads all files of the directory as one run. */
export function createEventFile({ directory, fromStep, now }: EventFileOptions): EventFile {
  const seconds = now();
  const name = `events.out.tfevents.${Math.floor(seconds)}.${hostname()}.${process.pid}.${fromStep}`;
  const path = join(directory, name);
  const append = (data: Uint8Array) => {
    try {
      appendFileSync(path, data);
    } catch (cause) {
      throw writeFailure(path, cause);
    }
  };
  const sessionStarts = 1;
  append(event(seconds, 0, text(3, "brain.Event:2")));
  append(event(seconds, fromStep, message(7, [integer(1, sessionStarts)])));
  return {
    path,
    scalars(step, values) {
      const summaries = Object.entries(values).map(([tag, value]) => message(1, [text(1, tag), float32(2, value)]));
      append(event(now(), step, bytes(5, Buffer.concat(summaries))));
    },
  };
}
