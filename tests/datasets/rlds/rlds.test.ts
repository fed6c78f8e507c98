import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { crc32c, maskedCrc32c } from "#datasets/rlds/crc32c.ts";
import { type ExampleValue, encodeExample, parseExample } from "#datasets/rlds/example.ts";
import { openRlds } from "#datasets/rlds/reader.ts";
import { frameRecord, indexRecords, readRecord } from "#datasets/rlds/tfrecord.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const shard = "toy-train.tfrecord-00000-of-00001";
const text = (value: string) => Buffer.from(value);
const picture = (grey: number) => encodePng({ data: new Uint8Array(8 * 8 * 3).fill(grey), height: 8, width: 8 });
let copies = 0;
const copy = () => {
  const path = join(folder, `copy-${copies++}`);
  cpSync(join(folder, "toy"), path, { recursive: true });
  return path;
};

function episode(steps: number, first: number): Buffer {
  const flags = (at: number) => BigInt64Array.from({ length: steps }, (_, step) => (step === at ? 1n : 0n));
  const values: [string, ExampleValue][] = [
    ["steps/is_first", flags(0)],
    ["steps/is_last", flags(steps - 1)],
    ["steps/action", Float32Array.from({ length: steps * 2 }, (_, index) => first + index / 4)],
    ["steps/language_instruction", Array(steps).fill(text("push é"))],
    ["steps/observation/image", Array.from({ length: steps }, (_, step) => picture(40 * step + first))],
  ];
  return encodeExample(new Map(values));
}

beforeAll(() => {
  const path = join(folder, "toy");
  mkdirSync(path);
  const tensor = (dtype: string, ...dimensions: string[]) => ({
    tensor: { shape: dimensions.length ? { dimensions } : {}, dtype, encoding: "none" },
  });
  const features = {
    ...{
      is_first: tensor("bool"),
      is_last: tensor("bool"),
      action: tensor("float32", "2"),
      language_instruction: { text: {} },
    },
    observation: {
      featuresDict: {
        features: { image: { image: { shape: { dimensions: ["8", "8", "3"] }, encodingFormat: "png" } } },
      },
    },
  };
  const steps = { sequence: { feature: { featuresDict: { features } } } };
  writeFileSync(join(path, "features.json"), JSON.stringify({ featuresDict: { features: { steps } } }));
  writeFileSync(join(path, "dataset_info.json"), JSON.stringify({ name: "toy", version: "1.0.0", splits: [] }));
  writeFileSync(join(path, shard), Buffer.concat([frameRecord(episode(3, 0)), frameRecord(episode(2, 10))]));
});

describe("CRC-32C", () => {
  // RFC 3720, B.4.
  it.each([
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    [Buffer.from("123456789"), 0xe3069283],
  ])("has the published values", (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it("is masked by rotation and a constant", () => {
    expect(maskedCrc32c(Buffer.from("123456789"))).toBe(
      (((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0,
    );
  });
});

describe("tf.train.Example", () => {
  it("comes back as it was encoded", () => {
    const value = fc.oneof(
      fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      fc.float32Array({ minLength: 1, maxLength: 8, noNaN: true }),
      fc.bigInt64Array({ minLength: 1, maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), value), (entries) => {
        const example = new Map(Object.entries(entries) as [string, ExampleValue][]);
        const back = parseExample(encodeExample(example), "x");
        expect(back.size).toBe(example.size);
        for (const [key, expected] of example) {
          const found = back.get(key)!;
          expect(
            Array.from(found as ArrayLike<unknown>, (item) => (item instanceof Uint8Array ? [...item] : item)),
          ).toEqual(
            Array.from(expected as ArrayLike<unknown>, (item) => (item instanceof Uint8Array ? [...item] : item)),
          );
        }
      }),
    );
  });

  it("answers any other bytes with a FormatError or a map", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parseExample(bytes, "x");
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});

describe("TFRecord", () => {
  it("is indexed and read with both checksums", async () => {
    const path = join(folder, "toy", shard);
    const places = await indexRecords(path);
    expect(places.length).toBe(2);
    expect(Buffer.from(await readRecord(places[1]!)).equals(episode(2, 10))).toBe(true);
  });

  it("says at which byte it is cut or damaged", async () => {
    const path = join(copy(), shard);
    const whole = readFileSync(path);
    const second = 16 + episode(3, 0).length;
    truncateSync(path, whole.length - 7);
    await expect(indexRecords(path)).rejects.toThrow(`${path}: byte ${second}: the record ends 7 bytes early`);
    truncateSync(path, second + 5);
    await expect(indexRecords(path)).rejects.toThrow(`byte ${second}: the record ends 7 bytes early`);
    const changed = Buffer.from(whole);
    changed[second + 1]! ^= 1;
    writeFileSync(path, changed);
    await expect(indexRecords(path)).rejects.toThrow(`byte ${second}: the length of the record has a wrong checksum`);
    whole[40]! ^= 1;
    writeFileSync(path, whole);
    const [place] = await indexRecords(path);
    await expect(readRecord(place!)).rejects.toThrow("byte 12: the record has a wrong checksum");
  });
});

describe("openRlds", () => {
  it("gives steps under LeRobot's names, with pictures and task", async () => {
    const reader = await openRlds(join(folder, "toy"), { fps: 4 });
    expect([reader.info.episodes, reader.info.fps, Object.keys(reader.info.features)]).toEqual([
      ...[2, 4],
      ["is_first", "is_last", "action", "language_instruction", "observation.images.image"],
    ]);
    const { length, tasks, timestampsS, columns } = await reader.episode(1);
    expect([length, tasks, [...timestampsS]]).toEqual([2, ["push é"], [0, 0.25]]);
    expect(columns.action).toEqual(Float32Array.of(10, 10.25, 10.5, 10.75));
    expect(columns.is_last).toEqual(Float32Array.of(0, 1));
    const greys: number[] = [];
    for await (const { data, width, height } of reader.frames(1, "observation.images.image"))
      greys.push(data[0]!, width, height);
    expect(greys).toEqual([10, 8, 8, 50, 8, 8]);
  });

  it("refuses missing metadata, missing shards and unknown episodes", async () => {
    const path = copy();
    cpSync(join(path, shard), join(path, "toy-val.tfrecord-00001-of-00003"));
    await expect(openRlds(path)).rejects.toThrow("toy-val.tfrecord: 2 of 3 shards are missing (the first is 0)");
    await expect((await openRlds(path, { split: "train" })).episode(5)).rejects.toThrow("has no episode 5; it has 2");
    rmSync(join(path, "features.json"));
    await expect(openRlds(path)).rejects.toThrow(FormatError);
  });
});
