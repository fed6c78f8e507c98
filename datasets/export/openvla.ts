/**
 * @file For OpenVLA and OpenVLA-OFT: RLDS as `<name>/1.0.0`, under the names that its loader is told, and the Python
 * that tells it (prismatic/vla/datasets/rlds/oxe/configs.py and transforms.py).
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { type ConvertOptions, convertDataset } from "../convert-dataset.ts";
import type { Exported } from "./exported.ts";
import { findRoles } from "./roles.ts";

/** Sizes of an action that OpenVLA has an encoding for. */
const encodings: Readonly<Record<number, string>> = { 7: "EEF_POS", 8: "JOINT_POS", 14: "JOINT_POS_BIMANUAL" };

export async function exportOpenvla(
  reader: EpisodeReader,
  path: string,
  options: Pick<ConvertOptions, "onProgress" | "signal"> & { readonly name: string },
): Promise<Exported> {
  const { name, ...callbacks } = options;
  const roles = findRoles(reader);
  const image = roles.scene ?? roles.cameras[0]!;
  const wrist = roles.wrist === image ? undefined : roles.wrist;
  const second = roles.cameras.find((camera) => camera !== image && camera !== wrist);
  const names = new Map([[image, "observation.images.image"]]);
  if (wrist !== undefined) names.set(wrist, "observation.images.wrist_image");
  if (second !== undefined) names.set(second, "observation.images.secondary_image");
  if (roles.state !== undefined) names.set(roles.state, "observation.state");
  names.set(roles.action, "action");
  const episodes = await convertDataset(reader, join(path, name, "1.0.0"), {
    ...{ ...callbacks, to: "rlds" },
    leaveOut: Object.keys(reader.info.features).filter((key) => !names.has(key)),
    rename: Object.fromEntries([...names].filter(([from, to]) => from !== to)),
  });
  const dims = reader.info.features[roles.action]!.shape.reduce((product, side) => product * side, 1);
  const encoding = encodings[dims];
  const keys = { primary: "image", secondary: second && "secondary_image", wrist: wrist && "wrist_image" };
  await writeFile(
    join(path, "openvla_config.py"),
    configOf(name, keys, encoding ?? "EEF_POS", roles.state !== undefined),
  );
  const notes =
    encoding === undefined
      ? [
          `OpenVLA knows actions of 7 (end effector), 8 (joints) and 14 (two arms) numbers, this set has ${dims}: change standardize() in openvla_config.py`,
        ]
      : [];
  return { episodes, files: [`${name}/1.0.0`, "openvla_config.py"], notes };
}

const python = (text: string | undefined) => (text === undefined ? "None" : JSON.stringify(text));

const configOf = (
  name: string,
  { primary, secondary, wrist }: Readonly<Record<"primary" | "secondary" | "wrist", string | undefined>>,
  encoding: string,
  hasState: boolean,
) => `\
"""Import this before training (vla-scripts/finetune.py --data_root_dir THIS_FOLDER --dataset_name ${name})."""
from prismatic.vla.datasets.rlds.oxe.configs import OXE_DATASET_CONFIGS, ActionEncoding, StateEncoding
from prismatic.vla.datasets.rlds.oxe.transforms import OXE_STANDARDIZATION_TRANSFORMS


def standardize(trajectory):
    """Actions must be: movement in [-1, 1] after normalisation, last the gripper, 0 closed and 1 open."""
    return trajectory


OXE_DATASET_CONFIGS["${name}"] = {
    "image_obs_keys": {"primary": ${python(primary)}, "secondary": ${python(secondary)}, "wrist": ${python(wrist)}},
    "depth_obs_keys": {"primary": None, "secondary": None, "wrist": None},
    "state_obs_keys": [${hasState ? '"state"' : "None"}],
    "state_encoding": StateEncoding.${hasState ? "JOINT" : "NONE"},
    "action_encoding": ActionEncoding.${encoding},
}
OXE_STANDARDIZATION_TRANSFORMS["${name}"] = standardize
`;
