import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import { type Packable, packNumpy, unpackNumpy } from "#robot-bridge/policies/msgpack-numpy.ts";
import { imageFromNumpy, numpyArray, numpyFromBytes, toFloat32 } from "#robot-bridge/policies/numpy.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

/** Written by Python: msgpack 1.2.3 with openpi_client.msgpack_numpy. */
const golden =
  "83b16f62736572766174696f6e2f737461746584c40b5f5f6e6461727261795f5fc3c40464617461c4080000c03f000000c0c4056474797065a33c" +
  "6634c40573686170659102a670726f6d7074ac646f20736f6d657468696e67a16984c40b5f5f6e6461727261795f5fc3c40464617461c406000000" +
  "000000c4056474797065a37c7531c405736861706593010203";
const goldenScalar = "81a16b83c40d5f5f6e7067656e657269635f5fc3c40464617461cb3ff8000000000000c4056474797065a33c6634";
const message = {
  "observation/state": numpyArray(Float32Array.of(1.5, -2), [2]),
  prompt: "do something",
  i: numpyArray(new Uint8Array(6), [1, 2, 3]),
};

describe("msgpack with NumPy arrays", () => {
  it("writes what Python writes, byte for byte", () => expect(hex(packNumpy(message))).toBe(golden));

  it("reads what Python writes", () => {
    expect(unpackNumpy(fromHex(golden))).toEqual(message);
    expect(unpackNumpy(fromHex(goldenScalar))).toEqual({ k: 1.5 });
  });

  it("brings any message back", () => {
    const leaf = fc.oneof(
      fc.constantFrom<Packable>(null, true, false),
      fc.integer(),
      fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
      fc.string(),
      fc.float32Array().map((data): Packable => numpyArray(data, [data.length])),
      fc.uint8Array().map((data): Packable => numpyArray(data, [data.length])),
      fc.bigInt64Array().map((data): Packable => numpyArray(data, [data.length])),
    );
    const name = fc.string().filter((key) => !key.startsWith("__"));
    const { tree } = fc.letrec<{ tree: Packable }>((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie("tree"), { maxLength: 4 }), fc.dictionary(name, tie("tree"))),
    }));
    fc.assert(fc.property(tree, (value) => expect(unpackNumpy(packNumpy(value))).toEqual(value)));
  });

  it("refuses what was cut, and any bytes, with a FormatError and nothing else", () => {
    const whole = fromHex(golden);
    for (let length = 0; length < whole.length; length++) {
      expect(() => unpackNumpy(whole.slice(0, length))).toThrow(FormatError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          unpackNumpy(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});

describe("NumPy arrays", () => {
  it.each([
    ["|b1", [1, 0], [1, 0]],
    ["|i1", [0xff], [-1]],
    ["<u2", [0x01, 0x80], [0x8001]],
    ["<i2", [0xfe, 0xff], [-2]],
    ["<i4", [0xff, 0xff, 0xff, 0xff], [-1]],
    ["<u4", [1, 0, 0, 0], [1]],
    ["<i8", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [-1]],
    ["<f2", [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c], [1, -2, 2 ** -24, Infinity]],
    ["<f8", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], [1.5]],
  ])("of dtype %s are read", (dtype, bytes, values) => {
    expect([...toFloat32(numpyFromBytes(dtype, [values.length], Uint8Array.from(bytes)))]).toEqual(values);
  });

  it.each([
    ["<f4", [2], new Uint8Array(7)],
    ["<f4", [-1], new Uint8Array(4)],
    ["<f4", [0.5], new Uint8Array(2)],
    ["<f4", "2", new Uint8Array(8)],
    ["|O", [1], new Uint8Array(8)],
    ["|V4", [1], new Uint8Array(4)],
    ["constructor", [1], new Uint8Array(4)],
    [4, [1], new Uint8Array(4)],
    ["|u1", [1, 1, 1, 1, 1, 1, 1, 1, 1], new Uint8Array(1)],
  ])("are refused: %j %j", (dtype, shape, bytes) => {
    expect(() => numpyFromBytes(dtype, shape, bytes)).toThrow(FormatError);
  });

  it("become pictures with channels last or first", () => {
    const last = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const image = { data: last, height: 1, width: 2 };
    expect(imageFromNumpy(numpyArray(last, [1, 2, 3]), "image")).toEqual(image);
    expect(imageFromNumpy(numpyArray(Uint8Array.of(1, 4, 2, 5, 3, 6), [1, 3, 1, 2]), "image")).toEqual(image);
    expect(() => imageFromNumpy(numpyArray(last, [6]), "image")).toThrow("image: must be a picture");
    expect(() => imageFromNumpy(numpyArray(new Float32Array(6), [1, 2, 3]), "image")).toThrow("got <f4[1, 2, 3]");
  });
});
