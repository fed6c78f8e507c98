/** @file HDF5 through h5wasm (HDF5's own C library as WebAssembly), with errors that name the file. */
import { open } from "node:fs/promises";
import h5wasm, { type Dataset, type Group } from "h5wasm/node";
import { FormatError, UserError } from "#core/errors.ts";

export type { Dataset, Group } from "h5wasm/node";
export type Hdf5File = InstanceType<typeof h5wasm.File>;

const signature = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);

/** HDF5 prints its errors unless it is told to throw them. */
const ready = h5wasm.ready.then((module) => module.activate_throwing_error_handler());

/** @throws FormatError when the file is missing, cut or no HDF5 */
export async function openHdf5File(path: string): Promise<Hdf5File> {
  await ready;
  const head = Buffer.alloc(8);
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `the file is missing (${cause.code}). Check the path.`, { cause });
  });
  try {
    await file.read(head, 0, 8, 0);
  } finally {
    await file.close();
  }
  if (!head.equals(signature)) throw new FormatError(path, "must be an HDF5 file, but does not begin like one.");
  try {
    const opened = new h5wasm.File(path, "r");
    if (opened.file_id > 0n) return opened;
    throw new Error("no file id");
  } catch (cause) {
    throw new FormatError(path, "the HDF5 file cannot be opened: cut, or not closed by its writer. Copy it again.", {
      cause,
    });
  }
}

/** What HDF5's library says of a damaged file is told with the file's name. */
export function readingHdf5<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const [, reason = "no reason given"] = /(?:line \d+ in \w+\(\): )(.*)/.exec((cause as Error).message) ?? [];
    throw new FormatError(path, `the HDF5 file is damaged (${reason}). Copy it again.`, { cause });
  }
}

/** Creates a file anew. */
export async function createHdf5File(path: string): Promise<Hdf5File> {
  await ready;
  return new h5wasm.File(path, "w");
}

export const asGroup = (entity: unknown): Group | undefined => (entity instanceof h5wasm.Group ? entity : undefined);
export const asDataset = (entity: unknown): Dataset | undefined =>
  entity instanceof h5wasm.Dataset ? entity : undefined;

/** Child group of that name. */
export function groupAt(group: Group, name: string): Group | undefined {
  return group.keys().includes(name) ? asGroup(group.get(name)) : undefined;
}

/** Text attribute, or `undefined`. */
export function textAttribute(group: Group, name: string): string | undefined {
  const value = group.attrs[name]?.value;
  return typeof value === "string" ? value : undefined;
}

/** JSON attribute as a plain object; empty when it is missing or no JSON object. */
export function jsonAttribute(group: Group, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(textAttribute(group, name) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Values of a data set, all or the first-axis range [start, end). */
export function readValues(path: string, dataset: Dataset, start?: number, end?: number): ArrayLike<number | bigint> {
  const value = readingHdf5(path, () => (start === undefined ? dataset.value : dataset.slice([[start, end ?? null]])));
  if (ArrayBuffer.isView(value)) return value as Float64Array;
  throw new FormatError(path, `${dataset.path} must hold numbers, but does not.`);
}
