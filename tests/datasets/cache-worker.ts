/** @file Builds a frame cache in a process of its own: `node --import tsx cache-worker.ts VIDEOS CACHE SIZE`. */
import { openFrameCache } from "#datasets/frame-cache.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";

const [, , videos, directory, size] = process.argv;
(await openFrameCache(await listVideoFolder(videos!), { size: Number(size), directory: directory! })).close();
