import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Image } from "#core/contracts/image.ts";
import { encodeVideo } from "#datasets/video/encode.ts";

/** Films that are kept at once; the one that was asked for longest ago goes first. */
const mostFilms = 32;

/** What to film: pictures of one size, each at its own time. */
type FilmOrder = {
  pictures(): AsyncIterable<Image>;
  /** Seconds, one per picture, ascending from 0. */
  readonly timesS: readonly number[];
  /** Usual rate, which the last picture stands for. */
  readonly rateHz: number;
};

/**
 * Films of what is kept as single pictures (HDF5, RLDS, recordings): made when a browser first asks, kept in a temporary folder
 * until `close`.
 */
export type Films = {
  /** @returns path of an mp4 @throws UserError when the pictures cannot be read or ffmpeg is missing */
  film(name: string, order: FilmOrder): Promise<string>;
  close(): Promise<void>;
};

/** h264 wants even sides: an odd last row or column is left out. */
function evenSized({ data, width, height }: Image): Image {
  const [evenWidth, evenHeight] = [width & ~1, height & ~1];
  if (evenWidth === width && evenHeight === height) return { data, width, height };
  const cut = new Uint8Array(evenWidth * evenHeight * 3);
  for (let row = 0; row < evenHeight; row++) {
    cut.set(data.subarray(row * width * 3, (row * width + evenWidth) * 3), row * evenWidth * 3);
  }
  return { data: cut, width: evenWidth, height: evenHeight };
}

async function* timedPictures({ pictures, timesS }: FilmOrder) {
  let frame = 0;
  for await (const picture of pictures()) {
    if (frame === timesS.length) return;
    yield { ...evenSized(picture), timestampS: timesS[frame++]! };
  }
}

/** Makes an empty store of films. */
export function createFilms(): Films {
  const films = new Map<string, Promise<string>>();
  let folder: Promise<string> | null = null;
  let made = 0;
  const make = async (order: FilmOrder): Promise<string> => {
    folder ??= mkdtemp(join(tmpdir(), "armature-viewer-"));
    const path = join(await folder, `${made++}.mp4`);
    await encodeVideo(path, timedPictures(order), { fps: order.rateHz });
    return path;
  };
  const dropOldest = async () => {
    const [name, film] = films.entries().next().value!;
    films.delete(name);
    await rm(await film, { force: true });
  };
  return {
    async film(name, order) {
      const film = films.get(name) ?? make(order);
      films.delete(name);
      films.set(name, film);
      // One that failed is tried anew the next time.
      film.catch(() => films.delete(name));
      if (films.size > mostFilms) await dropOldest().catch(() => {});
      return await film;
    },
    async close() {
      await Promise.allSettled(films.values());
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };
}
