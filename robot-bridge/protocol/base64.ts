/**
 * @file Base64 (RFC 4648, with padding): `uint8[]` fields travel so. Written out because neither `Buffer` nor
 * `Uint8Array.fromBase64` exists both in browsers and in Node 20, and `atob` lets cut input through.
 */
import { FormatError } from "#core/errors.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const values = new Int16Array(128).fill(-1);
for (let index = 0; index < 64; index++) values[alphabet.charCodeAt(index)] = index;
const padding = "=".charCodeAt(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(4 * Math.ceil(bytes.length / 3));
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    const group = (bytes[index]! << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    const left = bytes.length - index;
    text[at++] = alphabet.charCodeAt(group >> 18);
    text[at++] = alphabet.charCodeAt((group >> 12) & 63);
    text[at++] = left > 1 ? alphabet.charCodeAt((group >> 6) & 63) : padding;
    text[at++] = left > 2 ? alphabet.charCodeAt(group & 63) : padding;
  }
  return decoder.decode(text);
}

/** @throws FormatError on a length that is no multiple of 4, a foreign character, or bits left over: cut input */
export function decodeBase64(text: string): Uint8Array {
  const wrong = (problem: string, byte?: number) =>
    new FormatError("base64", problem, byte === undefined ? {} : { byte });
  if (text.length % 4 !== 0) throw wrong(`the length must be a multiple of 4, got ${text.length}. The text was cut.`);
  const codes = encoder.encode(text);
  if (codes.length !== text.length) throw wrong("only ASCII characters are allowed.");
  const pads = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - pads);
  const last = text.length - pads;
  const value = (index: number): number => {
    if (index >= last) return 0;
    const found = values[codes[index]!] ?? -1;
    if (found < 0) throw wrong(`character ${JSON.stringify(text[index])} is not of the alphabet.`, index);
    return found;
  };
  let at = 0;
  for (let index = 0; index < text.length; index += 4) {
    const group = (value(index) << 18) | (value(index + 1) << 12) | (value(index + 2) << 6) | value(index + 3);
    for (const byte of [group >> 16, (group >> 8) & 255, group & 255]) {
      if (at < bytes.length) bytes[at++] = byte;
      else if (byte !== 0) throw wrong("bits are left over behind the last byte.", index);
    }
  }
  return bytes;
}
