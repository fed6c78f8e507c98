import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { UserError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
let count = 0;

/** Rows of pictures of 4 pixels, each as grey as its number. */
function write(rows: readonly (object & { readonly image: string })[], text = (row: object) => JSON.stringify(row)) {
  const path = join(folder, `set-${count++}`);
  for (const [index, { image }] of rows.entries()) {
    mkdirSync(join(path, image, ".."), { recursive: true });
    writeFileSync(join(path, image), encodePng({ data: new Uint8Array(48).fill(index), height: 4, width: 4 }));
  }
  const file = join(path, "rows.jsonl");
  writeFileSync(file, rows.map((row) => `${text(row)}\n`).join("\n"));
  return file;
}
const labelled = (image: string, delta: readonly unknown[], instruction = "pour") => ({ image, instruction, delta });

describe("openLapa", () => {
  it("gives latent actions, and cuts episodes at folders, instructions and pictures that begin anew", async () => {
    const rows = [
      labelled("a/img_9.png", ["3", "0"]),
      labelled("a/img_10.png", ["7", "1"]),
      labelled("b/img_11.png", [2, 2]),
      labelled("b/img_12.png", [1, 1], "stir"),
      labelled("b/img_3.png", [4, 4], "stir"),
    ];
    const reader = await openDataset(write(rows));
    expect(reader.info).toMatchObject({
      format: "lapa",
      episodes: 4,
      frames: 5,
      fps: 5,
      metadata: { fpsIsAssumed: true },
    });
    expect(reader.info.features.latent_action).toEqual({ dtype: "int64", shape: [2], names: null });
    const { columns, tasks, timestampsS } = await reader.episode(0);
    expect(columns.latent_action).toEqual(BigInt64Array.of(3n, 0n, 7n, 1n));
    expect([tasks, [...timestampsS]]).toEqual([["pour"], [0, 0.2]]);
    expect((await reader.episode(2)).tasks).toEqual(["stir"]);
    const greys: number[] = [];
    for await (const { data } of reader.frames(0, "observation.images.image")) greys.push(data[0]!);
    expect(greys).toEqual([0, 1]);
    await expect(reader.episode(4)).rejects.toThrow(UserError);
  });

  it("says which row is none, or unlike the first", async () => {
    const good = labelled("a/img_0.png", ["1"]);
    const refusal = (row: object, text?: (row: object) => string) =>
      expect(openDataset(write([good, { image: "a/img_1.png", ...row }], text)));
    await refusal({ delta: ["x"] }).rejects.toThrow(
      /rows\.jsonl: the line at byte \d+ must be a row of LAPA: delta\.0/,
    );
    await refusal({ delta: [-1] }).rejects.toThrow("must be a row of LAPA: delta.0");
    await refusal({}, (row) => JSON.stringify(row).slice(0, -1)).rejects.toThrow("the line at byte 0 must be JSON");
    const uneven = await openDataset(write([good, labelled("a/img_1.png", ["1", "2"])]));
    await expect(uneven.episode(0)).rejects.toThrow("row 1 of episode 0: latent_action must be 1 numbers, got 2");
  });

  it("says which picture is missing or none", async () => {
    const file = write([labelled("a/img_0.png", ["1"]), labelled("a/img_1.png", ["1"])]);
    writeFileSync(join(file, "..", "a/img_1.png"), "no picture");
    const reader = await openDataset(file);
    const read = async () => {
      for await (const _ of reader.frames(0, "observation.images.image"));
    };
    await expect(read()).rejects.toThrow("picture 1 must be a jpeg or png");
    const lost = join(folder, "lost.jsonl");
    writeFileSync(lost, JSON.stringify(labelled("nowhere/img_0.png", ["1"])));
    await expect(openDataset(lost)).rejects.toThrow(/img_0\.png: must be there: .*lost\.jsonl names it/);
    writeFileSync(lost, "\n");
    await expect(openDataset(lost)).rejects.toThrow("must hold rows, but is empty");
  });
});
