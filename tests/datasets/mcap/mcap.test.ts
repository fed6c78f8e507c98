import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import { openMcapSet } from "#datasets/mcap/episodes.ts";
import { openMcap, readMcapRecords } from "#datasets/mcap/records.ts";
import { createMcapRecorder } from "#datasets/mcap/writer.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
describe("a recording", () => {
  async function record(path: string, messages = 20): Promise<string> {
    const recorder = await createMcapRecorder(path, { chunkBytes: 200 });
    const [a, b] = await Promise.all(
      ["/a", "/b"].map((topic) => recorder.addChannel({ topic, schemaName: "Scalars", schema: { type: "object" } })),
    );
    await recorder.addMetadata("run", { seed: "7" });
    await Promise.all(
      Array.from({ length: messages }, (_, index) =>
        recorder.write(index % 3 === 0 ? b! : a!, BigInt(index) * 10n, { index }),
      ),
    );
    await recorder.close();
    return path;
  }

  it("gives back messages by topic and time, schema and metadata", async () => {
    const { reader, close } = await openMcap(await record(join(folder, "whole.mcap")));
    const seen: number[] = [];
    for await (const { data } of reader.readMessages({ topics: ["/b"], startTime: 50n }))
      seen.push(JSON.parse(Buffer.from(data).toString()).index);
    expect(seen).toEqual([6, 9, 12, 15, 18]);
    expect([...reader.schemasById.values()][0]).toMatchObject({ name: "Scalars", encoding: "jsonschema" });
    for await (const { metadata } of reader.readMetadata({ name: "run" })) expect(metadata.get("seed")).toBe("7");
    expect(reader.statistics?.messageCount).toBe(20n);
    await close();
  });

  it("that was cut gives its whole chunks, then says at which byte it ends", async () => {
    const path = await record(join(folder, "cut.mcap"));
    truncateSync(path, Math.floor(readFileSync(path).length * 0.6));
    const seen: string[] = [];
    const read = async () => {
      for await (const { type } of readMcapRecords(path)) seen.push(type);
    };
    await expect(read()).rejects.toThrow(/cut\.mcap: byte \d+: the recording was cut/);
    expect(seen.filter((type) => type === "Message").length).toBeGreaterThan(5);
    await expect(openMcap(path)).rejects.toThrow("no readable index");
  });

  it("answers any damage with a FormatError or with records", async () => {
    const whole = readFileSync(await record(join(folder, "fuzz.mcap"), 6));
    const path = join(folder, "fuzzed.mcap");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        async (changes) => {
          const bytes = Buffer.from(whole);
          for (const [position, value] of changes) bytes[position] = value;
          writeFileSync(path, bytes);
          try {
            for await (const _ of readMcapRecords(path));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("of somebody else is no data set", async () => {
    await expect(openMcapSet(join(folder, "whole.mcap"))).rejects.toThrow(
      'must be an episode with metadata "armature.episode"',
    );
    await expect(openMcapSet(join(folder, "none"))).rejects.toThrow(FormatError);
  });
});
