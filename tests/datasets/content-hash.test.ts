import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { FormatError } from "#core/errors.ts";
import { createContentHashes, hashFile } from "#datasets/content-hash.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const file = join(folder, "a.bin");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("content hashes", () => {
  it("are SHA-256", async () => {
    writeFileSync(file, "abc");
    expect(await hashFile(file)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    await expect(hashFile(join(folder, "none"))).rejects.toThrow(FormatError);
  });

  it("are remembered across runs, and made anew when the file changes", async () => {
    writeFileSync(file, "abc");
    expect(await (await createContentHashes(folder)).of(file)).toBe(sha256("abc"));
    const index = join(folder, "hashes.jsonl");
    writeFileSync(index, readFileSync(index, "utf8").replace(sha256("abc"), "1".repeat(64)));
    expect(await (await createContentHashes(folder)).of(file)).toBe("1".repeat(64));
    writeFileSync(file, "abcd");
    expect(await (await createContentHashes(folder)).of(file)).toBe(sha256("abcd"));
  });

  it("survive a line that a kill cut", async () => {
    writeFileSync(file, "abcd");
    appendFileSync(join(folder, "hashes.jsonl"), '["half');
    expect(await (await createContentHashes(folder)).of(file)).toBe(sha256("abcd"));
  });
});
