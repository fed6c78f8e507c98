import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { createEventFile } from "#engine/index.ts";
import { crc32c } from "#engine/metrics/crc32c.ts";
import { encodeRecord } from "#engine/metrics/event-file.ts";
import { temporaryFolder } from "../small-training.ts";

describe("crc32c", () => {
  it.each([
    // RFC 3720, section B.4
    ["32 bytes of 0", new Uint8Array(32), 0x8a9136aa],
    ["32 bytes of 255", new Uint8Array(32).fill(255), 0x62a8ab43],
    ["32 rising bytes", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    ["the digits", Buffer.from("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(0), 0],
  ])("of %s is the published one", (_, bytes, want) => {
    expect(crc32c(bytes)).toBe(want);
  });
});

describe("event file", () => {
  it("frames records with length, masked checksums and data", () => {
    const record = encodeRecord(Buffer.from("123456789"));
    expect(record.length).toBe(8 + 4 + 9 + 4);
    expect(record.readBigUInt64LE()).toBe(9n);
    // ((crc >> 15) | (crc << 17)) + 0xa282ead8
    const crc = 0xe3069283;
    expect(record.readUInt32LE(21)).toBe(((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32);
  });

  it("begins with the version and the step from which it counts, then holds scalars", () => {
    const { path, scalars } = createEventFile({ directory: temporaryFolder(), fromStep: 41, now: () => 1.5 });
    scalars(41, { loss: 0.25 });
    const bytes = readFileSync(path);
    const records: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = Number(bytes.readBigUInt64LE(at));
      records.push(bytes.subarray(at + 12, at + 12 + length));
      at += 16 + length;
    }
    expect(records).toHaveLength(3);
    expect(records[0]!.includes("brain.Event:2")).toBe(true);
    // wall_time 1.5, step 41, summary { value { tag "loss", simple_value 0.25 } }
    const want = "09000000000000f83f" + "1029" + "2a0d" + "0a0b" + "0a046c6f7373" + "150000803e";
    expect(records[2]!.toString("hex")).toBe(want);
    // session_log { status START }
    expect(records[1]!.toString("hex")).toBe("09000000000000f83f" + "1029" + "3a02" + "0801");
  });
});
