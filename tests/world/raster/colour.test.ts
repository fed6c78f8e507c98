import { describe, expect, it } from "@jest/globals";
import { linearFromSrgb, srgbBytes, srgbSteps } from "#world/raster/colour.ts";

describe("linearFromSrgb", () => {
  it("follows IEC 61966-2-1", () => {
    for (let byte = 0; byte <= 255; byte++) {
      const value = byte / 255;
      const expected = value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      expect(linearFromSrgb(value)).toBeCloseTo(expected, 12);
    }
  });
});

describe("srgbBytes", () => {
  it("gets every bright byte back and dark ones within one", () => {
    for (let byte = 0; byte <= 255; byte++) {
      const back = srgbBytes[Math.round(linearFromSrgb(byte / 255) * srgbSteps)]!;
      expect(Math.abs(back - byte)).toBeLessThanOrEqual(byte > 40 ? 0 : 1);
    }
  });

  it("never falls, from black to white", () => {
    expect(srgbBytes[0]).toBe(0);
    expect(srgbBytes[srgbSteps]).toBe(255);
    expect(srgbBytes.every((byte, step) => step === 0 || byte >= srgbBytes[step - 1]!)).toBe(true);
  });
});
