import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { encodePng } from "#core/image/png.ts";
import { writeWhole } from "#core/write-whole.ts";
import { createVideoWriter } from "#datasets/video/encode.ts";
import { simulateEpisodes } from "../simulate.ts";
import { drawGallery, type GallerySuite, gallerySuites } from "./pictures.ts";

export type GalleryOptions = {
  readonly directory: string;
  /** Side of each picture and of the videos, pixels; even. */
  readonly size?: number;
  readonly seed?: number;
  /** Name of each file that was written. */
  readonly onFile?: (name: string) => void;
  readonly signal?: AbortSignal;
};

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");

/**
 * Writes contact sheets, one video per suite and body, and a page that shows them.
 *
 * @returns path of the page
 */
export async function writeGallery(options: GalleryOptions): Promise<string> {
  const { directory, size = 224, seed = 4, onFile, signal } = options;
  await mkdir(directory, { recursive: true });
  const parts: string[] = [];
  for await (const { name, caption, image } of drawGallery({ size, seed })) {
    signal?.throwIfAborted();
    writeWhole(join(directory, `${name}.png`), encodePng(image));
    parts.push(`<figure><img src="${name}.png" alt=""><figcaption>${escaped(caption)}</figcaption></figure>`);
    onFile?.(`${name}.png`);
  }
  for (const suite of gallerySuites) {
    for (const body of suite.bodies) {
      const { name, caption } = await writeClip(suite, body, size, options);
      parts.push(
        `<figure><video src="${name}" controls loop muted></video><figcaption>${escaped(caption)}</figcaption></figure>`,
      );
      onFile?.(name);
    }
  }
  const page = join(directory, "index.html");
  writeWhole(page, pageOf(parts));
  return page;
}

/** One video of a few expert episodes, one after the other. */
async function writeClip(
  { config }: GallerySuite,
  embodiment: string,
  size: number,
  { directory, seed = 4, signal }: GalleryOptions,
): Promise<{ name: string; caption: string }> {
  const name = `${config.suite}-${embodiment}.mp4`;
  const rateHz = config.suite === "push" ? 10 : 5;
  const video = await createVideoWriter(join(directory, name), { width: size, height: size, fps: rateHz });
  const sentences: string[] = [];
  try {
    const episodes = simulateEpisodes({
      suite: config,
      embodiment,
      episodes: 4,
      seed,
      size,
      ...(signal ? { signal } : {}),
    });
    for await (const { frames, length, instance } of episodes) {
      sentences.push(instance.instruction);
      const pixels = 3 * size * size;
      for (let frame = 0; frame < length; frame++) {
        await video.write(frames.subarray(frame * pixels, (frame + 1) * pixels));
      }
    }
    await video.close();
  } catch (error) {
    await video.abort();
    throw error;
  }
  return { name, caption: `${config.suite}, ${embodiment}: ${sentences.join("; ")}.` };
}

const pageOf = (parts: readonly string[]) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Simulated worlds</title>
<style>body{font:15px/1.5 system-ui;margin:2rem;max-width:1500px}figure{margin:0 0 2rem}img{max-width:100%}video{width:448px}</style>
<h1>Simulated worlds</h1>
${parts.join("\n")}
</html>
`;
