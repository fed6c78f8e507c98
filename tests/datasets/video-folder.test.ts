import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { FormatError, UserError } from "#core/errors.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";
import { temporaryFolder } from "./make-video.ts";

const root = temporaryFolder();
function folderWith(name: string, files: Record<string, string>): string {
  const folder = join(root, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return folder;
}

describe("listVideoFolder", () => {
  it("lists videos of all sub-folders by name, nothing else", async () => {
    const folder = folderWith("plain", {
      "b.mp4": "",
      "a/z.MKV": "",
      "a/b/c.webm": "",
      "notes.md": "",
      ".hidden/x.mp4": "",
      "a/._y.mp4": "",
    });
    expect(await listVideoFolder(folder)).toEqual(
      ["a/b/c.webm", "a/z.MKV", "b.mp4"].map((name) => ({ name, path: join(folder, name) })),
    );
  });

  it("takes captions from captions.jsonl and from texts beside the videos, which win", async () => {
    const folder = folderWith("captions", {
      ...{ "a.mp4": "", "sub/b.mp4": "", "c.mp4": "", "c.txt": " pour the tea \n" },
      "captions.jsonl":
        '{"file": "sub/b.mp4", "caption": "open the drawer"}\n\n{"file": "c.mp4", "caption": "another"}\n',
    });
    expect((await listVideoFolder(folder)).map(({ name, caption }) => [name, caption])).toEqual([
      ["a.mp4", undefined],
      ["c.mp4", "pour the tea"],
      ["sub/b.mp4", "open the drawer"],
    ]);
  });

  it.each(['{"file": "a.mp4"}', "[]", "not json", '{"file": 3, "caption": "x"}'])(
    "refuses the caption line %s",
    async (line) => {
      const folder = folderWith(`bad-${line.length}`, {
        "a.mp4": "",
        "captions.jsonl": `{"file": "a.mp4", "caption": "x"}\n${line}\n`,
      });
      await expect(listVideoFolder(folder)).rejects.toThrow(FormatError);
      await expect(listVideoFolder(folder)).rejects.toThrow('line 2 must be {"file": ..., "caption": ...}');
    },
  );

  it("refuses a folder without videos and one that is not there", async () => {
    await expect(listVideoFolder(folderWith("empty", { "x.txt": "" }))).rejects.toThrow(
      /must hold videos .* but there is none/,
    );
    const missing = listVideoFolder(join(root, "nowhere"));
    await expect(missing).rejects.toThrow(UserError);
    await expect(missing).rejects.toThrow("cannot be listed (ENOENT)");
  });
});
