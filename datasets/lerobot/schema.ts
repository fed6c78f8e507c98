/** @file Which features a LeRobotDataset can hold, and how they look in its Parquet files. */
import type { Feature } from "#core/contracts/episode.ts";
import { ConfigError } from "#core/errors.ts";
import type { ParquetColumn, ParquetScalar } from "../parquet.ts";
import { automaticFeatures, isScalar } from "./columns.ts";

type Features = Readonly<Record<string, Feature>>;

const parquetTypes = {
  ...{ float32: "FLOAT", float64: "DOUBLE", int64: "INT64", int32: "INT32" },
  ...{ bool: "BOOLEAN", string: "STRING" },
} as const satisfies Record<string, ParquetScalar>;

/** What the Hugging Face reader wants to know of a column, in the file's metadata. */
function huggingFaceFeature(feature: Feature): unknown {
  if (feature.dtype === "image") return { _type: "Image" };
  const value = { dtype: feature.dtype, _type: "Value" };
  if (isScalar(feature)) return value;
  if (feature.shape.length === 1) return { feature: value, length: feature.shape[0], _type: "Sequence" };
  return { shape: feature.shape, dtype: feature.dtype, _type: `Array${feature.shape.length}D` };
}

/** Columns of numbers and texts. */
export const storedColumns = (features: Features): [string, Feature][] =>
  Object.entries(features).filter(([, { dtype }]) => dtype !== "video" && dtype !== "image");

/** Cameras whose pictures lie in the Parquet file, one by one. */
export const imageKeys = (features: Features): string[] =>
  Object.keys(features).filter((key) => features[key]!.dtype === "image");

/** Columns of an episode's rows, and the metadata that gives them their types in Python. */
export function episodeSchema(features: Features): {
  readonly columns: readonly Omit<ParquetColumn, "values">[];
  readonly keyValues: Readonly<Record<string, string>>;
} {
  const stored = Object.entries(features).filter(([, { dtype }]) => dtype !== "video");
  const columns = stored.map(([name, feature]) => {
    if (feature.dtype === "image") return { name, type: "PICTURE" as const };
    const type = parquetTypes[feature.dtype as keyof typeof parquetTypes];
    return { name, type, depth: isScalar(feature) ? 0 : feature.shape.length };
  });
  const described = Object.fromEntries(stored.map(([name, feature]) => [name, huggingFaceFeature(feature)]));
  return { columns, keyValues: { huggingface: JSON.stringify({ info: { features: described } }) } };
}

/**
 * All features of a set, the automatic ones last, videos with their codec and rate.
 *
 * @throws ConfigError for a feature that cannot be written
 */
export function completeFeatures(path: string, features: Features, fps: number): Features {
  const complete: Record<string, Feature> = {};
  for (const [key, feature] of Object.entries(features)) {
    if (key in automaticFeatures) {
      throw new ConfigError(`${path}: feature "${key}" is written by itself. Leave it out of the features.`);
    }
    const isPicture = feature.shape.length === 3 && feature.shape[2] === 3;
    if ((feature.dtype === "video" || feature.dtype === "image") && !isPicture) {
      throw new ConfigError(`${path}: feature "${key}" must have shape [height, width, 3], got [${feature.shape}].`);
    }
    complete[key] = feature.dtype === "video" ? withVideoInfo(feature, fps) : withPictureNames(feature);
  }
  return { ...complete, ...automaticFeatures };
}

/** LeRobot tells where the channels are by the names of the axes. */
const withPictureNames = (feature: Feature): Feature =>
  feature.dtype === "image" ? { ...feature, names: feature.names ?? ["height", "width", "channels"] } : feature;

function withVideoInfo(feature: Feature, fps: number): Feature {
  const [height, width, channels] = feature.shape;
  const info = {
    ...{ "video.height": height, "video.width": width, "video.codec": "h264", "video.pix_fmt": "yuv420p" },
    ...{ "video.is_depth_map": false, "video.fps": fps, "video.channels": channels, has_audio: false },
  };
  return { ...feature, names: feature.names ?? ["height", "width", "channels"], info: { ...feature.info, ...info } };
}
