import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigError } from "#core/errors.ts";
import type { ModelSource } from "./mujoco.ts";

/** Every reading is a model of its own: the files may have changed. */
let reads = 0;

/** An attribute of an XML text. */
const attribute = (text: string, name: string) => text.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1];
/** File names that a model refers to: `file` in MJCF, `filename` in URDF. */
const references = (text: string) => [...text.matchAll(/\bfile(?:name)?="([^"]+)"/g)].map((match) => match[1]!);

/**
 * Reads an MJCF or URDF file with the meshes, textures and includes that it names. URDF's `package://name/path` is looked
 * for beside the file and in the folders above it.
 *
 * @throws ConfigError naming the file that is missing
 */
export async function readModelFile(path: string): Promise<ModelSource> {
  const xml = await readText(path, `${path}: must be an MJCF or URDF file, but cannot be read. Check the path.`);
  const files: Record<string, Uint8Array> = {};
  await collect(path, xml, files);
  reads += 1;
  return { xml, files, key: `${path}#${reads}` };
}

async function collect(path: string, xml: string, files: Record<string, Uint8Array>): Promise<void> {
  const isUrdf = /<robot\b/.test(xml);
  const assets = attribute(xml, "assetdir") ?? "";
  const folders = [attribute(xml, "meshdir") ?? assets, attribute(xml, "texturedir") ?? assets, ""];
  for (const name of references(xml)) {
    const found = isUrdf ? await findUrdfFile(path, name) : await findFile(dirname(path), folders, name);
    if (!found) {
      const places = isUrdf ? "beside it or above it" : folders.map((folder) => `"${folder || "."}"`).join(", ");
      throw new ConfigError(`${path}: needs "${name}", which is not in ${places}. Put it there.`);
    }
    if (files[found.name]) continue;
    files[found.name] = found.bytes;
    if (name.endsWith(".xml")) await collect(join(dirname(path), name), new TextDecoder().decode(found.bytes), files);
  }
}

type Found = { readonly name: string; readonly bytes: Uint8Array };

async function findFile(folder: string, subfolders: readonly string[], name: string): Promise<Found | null> {
  for (const subfolder of subfolders) {
    const relative = join(subfolder, name);
    const bytes = await tryRead(join(folder, relative));
    if (bytes) return { name: relative, bytes };
  }
  return null;
}

/** MuJoCo looks for a URDF's files by their last part alone. */
async function findUrdfFile(path: string, name: string): Promise<Found | null> {
  const isPackage = name.startsWith("package://");
  const relative = isPackage ? name.slice("package://".length) : name;
  const inside = relative.split("/").slice(1).join("/");
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    for (const candidate of isPackage ? [relative, inside] : [relative]) {
      const bytes = await tryRead(join(folder, candidate));
      if (bytes) return { name: basename(relative), bytes };
    }
    if (!isPackage || folder === dirname(folder)) return null;
  }
}

async function tryRead(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch {
    return null;
  }
}

async function readText(path: string, message: string): Promise<string> {
  const bytes = await tryRead(path);
  if (bytes) return new TextDecoder().decode(bytes);
  throw new ConfigError(message);
}
