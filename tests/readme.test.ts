import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { commands } from "#cli/commands.ts";
import { flagsOf, parseFlags } from "#core/config/flags.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = [
  "core",
  "engine",
  "datasets",
  "world",
  "lapa/quantizer",
  "lapa/latent-vla",
  "lapa/finetune",
  "robot-bridge",
  "sim-viewer",
];
const pages = [
  "README.md",
  ...folders.map((folder) => `${folder}/README.md`),
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
].filter((page) => page.endsWith(".md") && existsSync(join(root, page)));
const textOf = (page: string) => readFileSync(join(root, page), "utf8");

describe.each(pages)("%s", (page) => {
  const text = textOf(page);

  it("names only commands and flags that exist", async () => {
    const typed = [...text.matchAll(/npx armature ((?:[a-z-]+ ?)+)([^\n`]*)/g)];
    for (const [, words = "", rest = ""] of typed) {
      const parts = words.trim().split(" ");
      const name = [parts.slice(0, 2).join(" "), parts[0]!].find((candidate) => candidate in commands);
      expect(`${words}: ${name ?? "no such command"}`).not.toContain("no such command");
      const flags = rest.split(/\s+/).filter((word) => word.startsWith("--") && word !== "--help");
      const known = flagsOf((await commands[name!]!()).config).map((flag) => `--${flag.name}`);
      for (const flag of flags) expect([...known, "--json", "--preset", "--config"]).toContain(flag.split("=")[0]);
    }
  });

  it("names only files that are there", () => {
    const named = [...text.matchAll(/`([\w./-]+\.(?:ts|md|json|cjs|js))`/g)].map(([, path]) => path!);
    const top = new Set(readdirSync(root));
    const ours = named.filter((path) => top.has(path.split("/")[0]!) && !path.startsWith("runs/"));
    const places = [root, join(root, dirname(page))];
    expect(ours.filter((path) => !places.some((place) => existsSync(join(place, path))))).toEqual([]);
  });
});

it("the README's two commands are scripts of the package", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["demo", "test"]));
  expect(parseFlags([], []).positionals).toEqual([]);
});
