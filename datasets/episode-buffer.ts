/** @file What every writer checks and collects while an episode comes in frame by frame. */
import type { EpisodeFrame, EpisodeWriter, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { ShapeError } from "#core/errors.ts";

type Features = Readonly<Record<string, Feature>>;

/** What every writer here can do besides the contract. */
export interface DatasetWriter extends EpisodeWriter {
  /** Leaves out the episode that is open. */
  dropEpisode(): Promise<void>;
  /** Gives up the whole set: nothing is left behind. Harmless after `finish`. */
  abort(): Promise<void>;
}

/** Names of the cameras among the features, and of the others. */
export const cameraNames = (features: Features): string[] =>
  Object.keys(features).filter((key) => features[key]!.dtype === "video" || features[key]!.dtype === "image");
export const numberNames = (features: Features): string[] =>
  Object.keys(features).filter((key) => features[key]!.dtype !== "video" && features[key]!.dtype !== "image");

/** Numbers of one column, growing by doubling. */
export class GrowingColumn {
  #values = new Float64Array(256);
  #length = 0;

  add(values: ArrayLike<number>): void {
    while (this.#length + values.length > this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  /** As readers give a feature of this type. */
  toColumn(feature: Feature): Float32Array | Float64Array | BigInt64Array {
    if (feature.dtype === "int64") return BigInt64Array.from(this.values, BigInt);
    return feature.dtype === "float64" || feature.dtype === "int32"
      ? this.values.slice()
      : Float32Array.from(this.values);
  }
}

/**
 * @param frame number of the frame in its episode
 * @param lastS time of the frame before
 * @throws ShapeError when the time does not go on, or a feature is missing or of another size
 */
export function checkFrame(
  subject: string,
  features: Features,
  { timestampS, values, images }: EpisodeFrame,
  { frame, lastS }: { readonly frame: number; readonly lastS: number },
): void {
  if (!(timestampS >= 0 && timestampS > lastS && Number.isFinite(timestampS))) {
    throw new ShapeError(
      `${subject}: frame ${frame}: timestamp must be above ${Math.max(0, lastS)} s, got ${timestampS} s.`,
    );
  }
  for (const name of numberNames(features)) {
    const expected = features[name]!.shape.reduce((product, size) => product * size, 1);
    const got = values[name]?.length;
    if (got !== expected) {
      throw new ShapeError(
        `${subject}: frame ${frame}: "${name}" must have ${expected} values, got ${got ?? "none"}. Pass all features of the set.`,
      );
    }
  }
  for (const name of cameraNames(features)) checkPicture(subject, name, features[name]!, images[name]);
}

function checkPicture(subject: string, name: string, feature: Feature, image: Image | undefined): void {
  const [height, width] = feature.shape;
  if (image?.height !== height || image?.width !== width || image?.data.length !== height! * width! * 3) {
    const got = image ? `u8[${image.height}, ${image.width}, 3]` : "none";
    throw new ShapeError(`${subject}: camera "${name}" must get u8[${height}, ${width}, 3], got ${got}.`);
  }
}
