import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "@jest/globals";
import { FormatError } from "#core/errors.ts";
import { openMcap } from "#datasets/mcap/records.ts";
import { repairMcap } from "#datasets/mcap/repair.ts";
import { createMcapRecorder } from "#datasets/mcap/writer.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
let count = 0;
let path = "";
let target = "";

beforeEach(async () => {
  path = join(folder, `${count}.mcap`);
  target = join(folder, `${count++}-repaired.mcap`);
  const recorder = await createMcapRecorder(path, { chunkBytes: 300 });
  const channel = await recorder.addChannel({ topic: "/a", schemaName: "Scalars", schema: { type: "object" } });
  await recorder.addMetadata("run", { seed: "7" });
  for (let index = 0; index < 60; index++) await recorder.write(channel, BigInt(index), { index });
  await recorder.close();
});

async function indices(file: string): Promise<number[]> {
  const { reader, close } = await openMcap(file);
  const seen: number[] = [];
  for await (const { data } of reader.readMessages()) seen.push(JSON.parse(Buffer.from(data).toString()).index);
  await close();
  return seen;
}

describe("repairMcap", () => {
  it("saves the messages before the cut and gives them an index again", async () => {
    truncateSync(path, Math.floor(readFileSync(path).length * 0.5));
    const cut = readFileSync(path);
    const { messages, problem } = await repairMcap(path, target);
    expect(messages).toBeGreaterThan(10);
    expect(messages).toBeLessThan(60);
    expect(problem).toMatch(/the recording was cut/);
    expect(await indices(target)).toEqual(Array.from({ length: messages }, (_, index) => index));
    const { reader, close } = await openMcap(target);
    for await (const { metadata } of reader.readMetadata()) expect(metadata.get("seed")).toBe("7");
    expect([...reader.schemasById.values()].map(({ name }) => name)).toEqual(["Scalars"]);
    await close();
    expect(readFileSync(path).equals(cut)).toBe(true);
  });

  it("copies a whole recording as it is", async () => {
    expect(await repairMcap(path, target)).toEqual({ messages: 60, problem: undefined });
    expect((await indices(target)).length).toBe(60);
  });

  it("leaves nothing behind where nothing can be saved, and never overwrites", async () => {
    writeFileSync(path, "no recording at all");
    await expect(repairMcap(path, target)).rejects.toThrow(FormatError);
    expect(existsSync(target)).toBe(false);
    writeFileSync(target, "mine");
    await expect(repairMcap(path, target)).rejects.toThrow("must not be there yet");
    expect(readFileSync(target, "utf8")).toBe("mine");
  });
});
