import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import { type HostArray, readSafetensors, writeSafetensors } from "#engine/index.ts";

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armature-safetensors-"));
});
const newPath = () => join(folder, `${files++}.safetensors`);

const arrays = new Map<string, HostArray>([
  ["weight", { shape: [2, 3], dtype: "float32", data: Float32Array.of(1, -0, Number.NaN, Infinity, 1e-40, 3.5) }],
  ["count", { shape: [], dtype: "int32", data: Int32Array.of(-7) }],
  ["mask", { shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) }],
  ["nothing", { shape: [0, 4], dtype: "float32", data: new Float32Array(0) }],
]);

/** A file with the given header and so many bytes after it. */
function craft(header: unknown, body: number): string {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = newPath();
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(body)]));
  return path;
}

const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("safetensors", () => {
  it("gives back what was written, bit for bit", async () => {
    const path = newPath();
    await writeSafetensors(path, arrays);
    expect(await readSafetensors(path)).toEqual(arrays);
  });

  it("follows the published layout", async () => {
    const path = newPath();
    await writeSafetensors(path, new Map([["a", { shape: [2], dtype: "float32", data: Float32Array.of(1, 2) }]]));
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE());
    expect((8 + length) % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({ a: entry("F32", [2], 0, 8) });
    expect([bytes.readFloatLE(8 + length), bytes.readFloatLE(12 + length)]).toEqual([1, 2]);
    expect(bytes.length).toBe(16 + length);
  });

  it("reads files of others: metadata, spaces, any order in the header", async () => {
    const header = { __metadata__: { format: "pt" }, b: entry("I32", [1], 4, 8), a: entry("F32", [1], 0, 4) };
    const read = await readSafetensors(craft(`${JSON.stringify(header)}   `, 8));
    expect([...read.keys()]).toEqual(["a", "b"]);
  });

  it("does not write over a file", async () => {
    const path = newPath();
    await writeSafetensors(path, arrays);
    await expect(writeSafetensors(path, arrays)).rejects.toThrow("EEXIST");
  });

  it.each([
    ["overlaps the one before it", { a: entry("F32", [2], 0, 8), b: entry("F32", [2], 4, 12) }, 12],
    ["leaves a gap before it", { a: entry("F32", [1], 0, 4), b: entry("F32", [1], 8, 12) }, 12],
    ["takes 8 bytes, its offsets say 12", { a: entry("F32", [2], 0, 12) }, 12],
    ["must be F32, I32 or BOOL, got F16", { a: entry("F16", [2], 0, 4) }, 4],
    ["must be F32, I32 or BOOL, got toString", { a: entry("toString", [2], 0, 4) }, 4],
    ["must have dtype, shape and data_offsets", { a: { dtype: "F32" } }, 4],
    ["must have dtype, shape and data_offsets", { a: entry("F32", [-1], 0, 4) }, 4],
    ["takes 4e+21 bytes", { a: entry("F32", [1e15, 1e6], 0, 4) }, 4],
    ["must be JSON", "{ not json", 4],
    ["must be a JSON object", "[1]", 4],
  ])("refuses a file in which an array or the header %s", async (problem, header, body) => {
    const path = craft(header, body);
    await expect(readSafetensors(path)).rejects.toThrow(problem);
    await expect(readSafetensors(path)).rejects.toThrow(FormatError);
  });

  it("refuses surplus bytes and says where they begin", async () => {
    const path = craft({ a: entry("F32", [1], 0, 4) }, 6);
    await expect(readSafetensors(path)).rejects.toThrow(/byte \d+: must be \d+ bytes long, got \d+\. The file was cut/);
  });

  it("refuses a header that claims more than there is, before taking memory for it", async () => {
    const path = newPath();
    writeFileSync(path, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x7f, 0x7b, 0x7d]));
    await expect(readSafetensors(path)).rejects.toThrow(
      /byte 0: header length 9151314442816847872 must fit into the file of 10 bytes/,
    );
  });

  it("refuses every proper prefix of a file", async () => {
    const path = newPath();
    await writeSafetensors(path, arrays);
    const bytes = readFileSync(path);
    const cut = newPath();
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(cut, bytes.subarray(0, length));
      await expect(readSafetensors(cut)).rejects.toThrow(FormatError);
    }
  });

  it("reads or refuses any file with changed bytes, and never fails otherwise", async () => {
    const path = newPath();
    await writeSafetensors(path, arrays);
    const bytes = readFileSync(path);
    const changed = newPath();
    const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const copy = Buffer.from(bytes);
        for (const { at, value } of changes) copy[at] = value;
        writeFileSync(changed, copy);
        await readSafetensors(changed).catch((error) => expect(error).toBeInstanceOf(FormatError));
      }),
      { numRuns: 300 },
    );
  });
});
