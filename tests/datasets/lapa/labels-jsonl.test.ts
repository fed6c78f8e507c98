import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { writeLapaJsonl } from "#datasets/lapa/labels-jsonl.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const labels: LatentLabels = {
  ...{ quantizerHash: "q", codebookSize: 8, codesPerStep: 4, offsetS: 0.6, source: { path: "videos", hash: "d" } },
  ...{ episodes: Int32Array.of(0, 2), first: Int32Array.of(5, 0), second: Int32Array.of(8, 3) },
  codes: Int32Array.of(3, 0, 7, 1, 2, 2, 2, 2),
};
const source = {
  name: (episode: number) => `clip${episode}`,
  instruction: (episode: number) => (episode === 0 ? 'push "it"' : "pour"),
  image: (episode: number, frame: number) => `frames/${episode}/img_${frame}.jpg`,
};
const read = (name: string) =>
  readFileSync(join(folder, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("writeLapaJsonl", () => {
  it("writes what LAPA's labelling script writes: codes as texts, fields without loss in brackets", async () => {
    await writeLapaJsonl(join(folder, "a.jsonl"), labels, { ...source, vision: () => [7, 8191] });
    expect(read("a.jsonl")).toEqual([
      {
        id: "clip0_5",
        image: "frames/0/img_5.jpg",
        instruction: 'push "it"',
        vision: ["7", "8191"],
        delta: ["3", "0", "7", "1"],
        fields: "[instruction],[vision],delta",
      },
      {
        id: "clip2_0",
        image: "frames/2/img_0.jpg",
        instruction: "pour",
        vision: ["7", "8191"],
        delta: ["2", "2", "2", "2"],
        fields: "[instruction],[vision],delta",
      },
    ]);
    await writeLapaJsonl(join(folder, "b.jsonl"), labels, source);
    expect("vision" in read("b.jsonl")[0]).toBe(false);
  });

  it("leaves nothing behind when it fails", async () => {
    const failing = {
      ...source,
      instruction: () => {
        throw new Error("no caption");
      },
    };
    await expect(writeLapaJsonl(join(folder, "c.jsonl"), labels, failing)).rejects.toThrow("no caption");
    await expect(writeLapaJsonl(join(folder, "none/c.jsonl"), labels, source)).rejects.toThrow(
      "its folder does not exist",
    );
    expect(readdirSync(folder).filter((name) => name.startsWith("c"))).toEqual([]);
  });
});
