import { join } from "node:path";
import type { Episode, EpisodeFrame, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { UserError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { cameraNames, checkFrame, type DatasetWriter, GrowingColumn, numberNames } from "../episode-buffer.ts";
import { createVideoWriter, type VideoWriter } from "../video/encode.ts";
import { createStore } from "./create-store.ts";
import { completeFeatures } from "./schema.ts";
import { createSetFolder, type SetFolder } from "./set-folder.ts";
import { ImageStatistics } from "./statistics.ts";
import type { EpisodeStore } from "./store.ts";

export type LeRobotWriterOptions = {
  /** Layout on disk, default "v2.1": what most training code reads today. */
  readonly version?: "v2.1" | "v3.0";
  readonly fps: number;
  readonly robotType: string;
  /** Columns and cameras ("observation.state", "action", "observation.images.front"), without the automatic ones. */
  readonly features: Readonly<Record<string, Feature>>;
  /** Further keys of info.json: renderer, action space, embodiment. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** x264's rate factor, default 20. */
  readonly crf?: number;
  /** The set is a part of one that `joinLeRobot` will write, default false. */
  readonly isPart?: boolean;
  readonly signal?: AbortSignal;
};

export type LeRobotWriter = DatasetWriter;

/** LeRobot's own choice: at most one frame is decoded in vain to reach any other. */
const keyframeInterval = 2;

type Camera = {
  readonly file: string;
  readonly statistics: ImageStatistics;
  video: VideoWriter | undefined;
  /** png files of the frames so far, where the pictures are kept one by one. */
  readonly images: Uint8Array[] | undefined;
};

type OpenEpisode = {
  readonly task: string;
  readonly columns: ReadonlyMap<string, GrowingColumn>;
  readonly cameras: ReadonlyMap<string, Camera>;
  length: number;
  lastS: number;
};

/**
 * Creates a LeRobotDataset. Frames are streamed: pictures of video features to ffmpeg, numbers and pictures of image
 * features (as png) to memory until the episode ends.
 * Everything grows in a folder beside `path`, which is renamed by `finish`.
 *
 * Timestamps are kept as they are given (column `timestamp` f32, and the frame times of the videos).
 *
 * @throws UserError when `path` is there already or cannot be written; ConfigError for features that cannot be stored;
 *   `addFrame` throws ShapeError for a frame that does not fit them
 */
export async function createLeRobotWriter(path: string, options: LeRobotWriterOptions): Promise<LeRobotWriter> {
  const { fps, robotType, metadata = {}, isPart = false } = options;
  const features = completeFeatures(path, options.features, fps);
  const folder = await createSetFolder(path);
  const common = { folder: folder.path, fps, robotType, features, metadata, isPart };
  const store = createStore(options.version ?? "v2.1", common);
  return createWriter(path, { folder, features, store }, options);
}

type Place = {
  readonly folder: SetFolder;
  readonly features: Readonly<Record<string, Feature>>;
  readonly store: EpisodeStore;
};

function createWriter(path: string, { folder, features, store }: Place, options: LeRobotWriterOptions): LeRobotWriter {
  const { fps, crf, signal } = options;
  const numbers = numberNames(options.features);
  let open: OpenEpisode | undefined;
  let finished = false;
  let episodes = 0;

  const current = (): OpenEpisode => {
    if (!open) throw new Error(`${path}: no episode is open; call startEpisode first`);
    return open;
  };
  const closeVideos = async (how: "close" | "abort") => {
    const cameras = [...(open?.cameras.values() ?? [])];
    await Promise.all(cameras.map((camera) => camera.video?.[how]()));
  };

  async function addPicture(camera: Camera, { data, height, width }: Image, timestampS: number): Promise<void> {
    camera.statistics.add(data, height, width);
    if (camera.images) return void camera.images.push(encodePng({ data, height, width }));
    const rate = { fps, keyframeInterval, ...(crf === undefined ? {} : { crf }), ...(signal ? { signal } : {}) };
    camera.video ??= await createVideoWriter(camera.file, { height, width, ...rate });
    await camera.video.write(data, timestampS);
  }

  return {
    async startEpisode(task) {
      signal?.throwIfAborted();
      if (open) throw new Error(`${path}: an episode is open already; call endEpisode first`);
      open = {
        task,
        columns: new Map([...numbers, "timestamp"].map((name) => [name, new GrowingColumn()])),
        cameras: new Map(
          cameraNames(options.features).map((name, index) => {
            const file = join(folder.parts, `${index}.mp4`);
            const images = features[name]!.dtype === "image" ? [] : undefined;
            return [name, { file, statistics: new ImageStatistics(), video: undefined, images }];
          }),
        ),
        ...{ length: 0, lastS: Number.NEGATIVE_INFINITY },
      };
    },
    async addFrame(frame: EpisodeFrame) {
      const episode = current();
      signal?.throwIfAborted();
      checkFrame(path, options.features, frame, { frame: episode.length, lastS: episode.lastS });
      for (const [name, camera] of episode.cameras) await addPicture(camera, frame.images[name]!, frame.timestampS);
      for (const name of numbers) episode.columns.get(name)!.add(frame.values[name]!);
      episode.columns.get("timestamp")!.add([frame.timestampS]);
      episode.lastS = frame.timestampS;
      episode.length++;
    },
    async endEpisode() {
      const { task, columns, cameras, length } = current();
      if (length === 0) throw new UserError(`${path}: episode ${episodes} must have at least one frame, got none.`);
      await closeVideos("close");
      await store.add({
        length,
        tasks: new Array<string>(length).fill(task),
        columns: Object.fromEntries(
          [...columns].map(([name, column]) => [name, column.toColumn(features[name]!)]),
        ) as Episode["columns"],
        videos: Object.fromEntries([...cameras].flatMap(([name, { file, images }]) => (images ? [] : [[name, file]]))),
        images: Object.fromEntries([...cameras].flatMap(([name, { images }]) => (images ? [[name, images]] : []))),
        pictures: Object.fromEntries([...cameras].map(([name, { statistics }]) => [name, statistics.finish()])),
      });
      open = undefined;
      episodes++;
    },
    async dropEpisode() {
      await closeVideos("abort");
      open = undefined;
    },
    async finish() {
      if (open) throw new Error(`${path}: an episode is still open; call endEpisode or dropEpisode first`);
      if (episodes === 0) throw new UserError(`${path}: a data set must have at least one episode, got none.`);
      await store.finish();
      await folder.publish();
      finished = true;
    },
    async abort() {
      if (finished) return;
      await closeVideos("abort");
      open = undefined;
      await folder.remove();
    },
  };
}
