import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UserError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";

/** A data set under way: it grows beside its place and gets its name when it is whole. */
export type SetFolder = {
  readonly path: string;
  /** For files that are not where they belong yet; removed at the end. */
  readonly parts: string;
  publish(): Promise<void>;
  remove(): Promise<void>;
};

/** @throws UserError when the place is taken or cannot be written */
export async function createSetFolder(place: string): Promise<SetFolder> {
  const target = resolve(place);
  const entries = await readdir(target).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw writeFailure(target, cause);
  });
  if (entries.length > 0) {
    throw new UserError(
      `${target}: must be a new or empty folder, but holds ${entries.length} entries. Choose another.`,
    );
  }
  const path = `${target}.${process.pid}.part`;
  const parts = join(path, "part");
  const remove = () => rm(path, { recursive: true, force: true });
  await remove();
  await mkdir(parts, { recursive: true }).catch((cause) => {
    throw writeFailure(place, cause);
  });
  return {
    path,
    parts,
    remove,
    async publish() {
      await rm(parts, { recursive: true, force: true });
      await rmdir(target).catch(() => undefined);
      await mkdir(dirname(target), { recursive: true });
      await rename(path, target).catch((cause) => {
        throw writeFailure(place, cause);
      });
    },
  };
}
