import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "#robot-bridge/protocol/base64.ts";

describe("base64", () => {
  it.each([
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ])("writes the vectors of RFC 4648: %j", (text, encoded) => {
    expect(encodeBase64(new TextEncoder().encode(text))).toBe(encoded);
    expect(new TextDecoder().decode(decodeBase64(encoded))).toBe(text);
  });

  it("agrees with Node for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64"));
        expect(decodeBase64(text)).toEqual(bytes);
      }),
    );
  });

  it.each(["Zg=", "Zg", "Z", "Zh==", "Zm9=", "Zm9v Zg==", "Zm-_", "=Zg=", "Zg==Zg==", "Zé=="])(
    "refuses %j, which is cut or foreign",
    (text) => expect(() => decodeBase64(text)).toThrow("base64"),
  );
});
