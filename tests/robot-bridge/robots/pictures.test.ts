import { describe, expect, it } from "@jest/globals";
import jpeg from "jpeg-js";
import { FormatError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { decodePicture, resizeImage } from "#robot-bridge/robots/pictures.ts";

const image = {
  data: Uint8Array.from({ length: 16 * 8 * 3 }, (_, index) => (index % 3 === 0 ? 200 : 40)),
  height: 8,
  width: 16,
};
const rgba = Buffer.from(Array.from({ length: 16 * 8 }, () => [200, 40, 40, 255]).flat());
const jpegBytes = Uint8Array.from(jpeg.encode({ data: rgba, width: 16, height: 8 }, 95).data);
const compressed = (data: Uint8Array, format = "png") => ({ stampNs: 0n, frameId: "", format, data });

describe("decodePicture", () => {
  it("reads PNG exactly", () => expect(decodePicture(compressed(encodePng(image)))).toEqual(image));

  it("reads JPEG, whatever the format field calls it", () => {
    const picture = decodePicture(compressed(jpegBytes, "rgb8; jpeg compressed bgr8"));
    expect(picture).toMatchObject({ height: 8, width: 16 });
    expect(picture.data).toBeAllClose(image.data, { absolute: 4 });
  });

  it.each<[string, Uint8Array, string]>([
    ["a PNG that was cut", encodePng(image).slice(0, 60), "png"],
    ["a JPEG that was cut", jpegBytes.slice(0, 200), "jpeg"],
    ["a depth picture", encodePng(image), "16UC1; compressedDepth"],
    ["another format", new TextEncoder().encode("RIFF....WEBP"), "webp"],
    ["nothing", new Uint8Array(0), "png"],
  ])("refuses %s", (_, data, format) => expect(() => decodePicture(compressed(data, format))).toThrow(FormatError));

  it("refuses a picture that is too large before it decodes it", () => {
    const huge = Uint8Array.from(encodePng(image));
    new DataView(huge.buffer).setUint32(16, 100_000);
    new DataView(huge.buffer).setUint32(20, 100_000);
    expect(() => decodePicture(compressed(huge))).toThrow("must have at most 16000000 pixels");
  });
});

describe("resizeImage", () => {
  const gray = (height: number, width: number, values: number[]) => ({
    data: Uint8Array.from(values.flatMap((value) => [value, value, value])),
    height,
    width,
  });
  const red = ({ data }: { data: Uint8Array }) => [...data].filter((_, index) => index % 3 === 0);

  it("returns the same picture when the size is right", () => expect(resizeImage(image, 8, 16)).toBe(image));

  it("averages the area that each pixel covers", () => {
    expect(red(resizeImage(gray(2, 2, [0, 100, 200, 100]), 1, 1))).toEqual([100]);
    // Three columns to two: 2/3 of the first and 1/3 of the second.
    expect(red(resizeImage(gray(1, 3, [0, 90, 180]), 1, 2))).toEqual([30, 150]);
    expect(red(resizeImage(gray(1, 2, [10, 20]), 2, 4))).toEqual([10, 10, 20, 20, 10, 10, 20, 20]);
  });

  it("keeps the mean of any picture", () => {
    const values = Array.from({ length: 35 }, (_, index) => (index * 97) % 251);
    const small = red(resizeImage(gray(5, 7, values), 3, 4));
    const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(Math.abs(mean(small) - mean(values))).toBeLessThan(1);
  });
});
