/** @file Who put what where in an HDF5 file of demonstrations: robomimic and LIBERO, ALOHA and ACT. */
import { basename } from "node:path";
import type { Feature } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { imageKind } from "../video/decode-images.ts";
import {
  asDataset,
  asGroup,
  type Dataset,
  type Group,
  groupAt,
  type Hdf5File,
  jsonAttribute,
  textAttribute,
} from "./hdf5-file.ts";

/** One demonstration inside a file: its arrays under LeRobot's names. */
export type Demonstration = {
  readonly file: string;
  readonly name: string;
  readonly task: string;
  readonly fps: number;
  /** The file says no rate. */
  readonly fpsIsAssumed: boolean;
  readonly format: "hdf5-robomimic" | "hdf5-aloha";
  readonly arrays: ReadonlyMap<string, Dataset>;
};

/** ALOHA teleoperates at 50 Hz, robosuite controls at 20 Hz; neither file has to say so. */
const defaultRates = { "hdf5-aloha": 50, "hdf5-robomimic": 20 } as const;

const isPicture = ({ shape, dtype }: Dataset): boolean =>
  shape?.length === 4 && shape[3] === 3 && (dtype === "<B" || dtype === "B" || dtype === "|u1");
/** Rows of jpeg bytes, padded to one length. */
export const isCompressed = ({ shape }: Dataset): boolean => shape?.length === 2;

const robomimicNames: Readonly<Record<string, string>> = {
  ...{ actions: "action", rewards: "next.reward", dones: "next.done", robot_states: "observation.robot_states" },
};
const alohaNames: Readonly<Record<string, string>> = {
  ...{ qpos: "observation.state", qvel: "observation.velocity", effort: "observation.effort" },
};

function childDatasets(group: Group | undefined): [string, Dataset][] {
  return (group?.keys() ?? []).flatMap((name) => {
    const dataset = asDataset(group!.get(name));
    return dataset ? [[name, dataset] as [string, Dataset]] : [];
  });
}

function robomimic(path: string, data: Group): Demonstration[] {
  const environment = jsonAttribute(data, "env_args");
  const problem = jsonAttribute(data, "problem_info").language_instruction;
  const spoken: unknown = Array.isArray(problem) ? problem[0] : problem;
  const spokenTask = typeof spoken === "string" ? spoken : undefined;
  const fromName = basename(path)
    .replace(/(_demo)?\.(hdf5|h5)$/, "")
    .replaceAll("_", " ");
  const rate = Number((environment.env_kwargs as Record<string, unknown> | undefined)?.control_freq);
  const names = data.keys().filter((name) => asGroup(data.get(name)) !== undefined);
  // "demo_10" comes after "demo_2".
  names.sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
  return names.map((name) => {
    const demo = groupAt(data, name)!;
    const arrays = new Map<string, Dataset>();
    for (const [key, dataset] of childDatasets(demo)) arrays.set(robomimicNames[key] ?? key, dataset);
    for (const [key, dataset] of childDatasets(groupAt(demo, "obs"))) {
      arrays.set(isPicture(dataset) ? `observation.images.${key}` : `observation.${key}`, dataset);
    }
    return {
      ...{
        file: path,
        name: `data/${name}`,
        task: textAttribute(demo, "language_instruction") ?? spokenTask ?? fromName,
      },
      ...{
        fps: rate > 0 ? rate : defaultRates["hdf5-robomimic"],
        fpsIsAssumed: !(rate > 0),
        format: "hdf5-robomimic",
        arrays,
      },
    };
  });
}

function aloha(path: string, file: Hdf5File, observations: Group): Demonstration {
  const arrays = new Map<string, Dataset>();
  for (const [key, dataset] of childDatasets(observations))
    arrays.set(alohaNames[key] ?? `observation.${key}`, dataset);
  for (const [key, dataset] of childDatasets(groupAt(observations, "images")))
    arrays.set(`observation.images.${key}`, dataset);
  const action = asDataset(file.get("action"));
  if (action) arrays.set("action", action);
  return {
    file: path,
    name: "",
    task: "",
    fps: defaultRates["hdf5-aloha"],
    fpsIsAssumed: true,
    format: "hdf5-aloha",
    arrays,
  };
}

/**
 * Finds the demonstrations of a file.
 *
 * @throws FormatError when it has neither layout, or no demonstration
 */
export function findDemonstrations(path: string, file: Hdf5File): Demonstration[] {
  const data = groupAt(file, "data");
  const observations = groupAt(file, "observations");
  const found = data ? robomimic(path, data) : observations ? [aloha(path, file, observations)] : [];
  if (found.length === 0) {
    throw new FormatError(
      path,
      'must have demonstrations under "data" (robomimic, LIBERO) or "observations" (ALOHA), has neither.',
    );
  }
  return found;
}

/** Length of a demonstration: that of its actions, which every layout has. */
export function lengthOf({ file, name, arrays }: Demonstration): number {
  const length = (arrays.get("action") ?? arrays.values().next().value)?.shape?.[0];
  if (length === undefined) throw new FormatError(file, `${name || "the file"} has no arrays.`);
  return length;
}

/** What a data set is as a feature. */
export function featureOf(name: string, dataset: Dataset): Feature {
  const [, ...shape] = dataset.shape ?? [];
  if (name.startsWith("observation.images.")) {
    const size = isCompressed(dataset) ? jpegShape(dataset) : shape;
    return { dtype: "image", shape: size, names: ["height", "width", "channels"] };
  }
  const code = typeof dataset.dtype === "string" ? dataset.dtype.replace(/^[<>|]/, "") : "";
  const dtype =
    code === "d"
      ? "float64"
      : code === "q" || code === "Q"
        ? "int64"
        : "f e".includes(code) && code !== ""
          ? "float32"
          : "int32";
  return { dtype, shape: shape.length === 0 ? [1] : shape, names: null };
}

/** [H, W, 3] of compressed pictures, by the first of them. */
function jpegShape(dataset: Dataset): number[] {
  const first = dataset.slice([[0, 1]]);
  const kind = first instanceof Uint8Array ? imageKind(first) : undefined;
  return kind ? [kind.height, kind.width, 3] : [];
}
