/**
 * @file For openpi: LeRobot 2.1 under the names of its own LIBERO conversion (pictures one by one), exact normalisation
 * statistics as its scripts/compute_norm_stats.py would store them, and a training configuration.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { type ConvertOptions, convertDataset } from "../convert-dataset.ts";
import { automaticFeatures } from "../lerobot/columns.ts";
import { openLeRobot } from "../lerobot/reader.ts";
import { columnStatistics } from "../lerobot/statistics.ts";
import type { Exported } from "./exported.ts";
import { findRoles, requireState } from "./roles.ts";

/** Dimensions that the published checkpoints have room for. */
const mostDimensions = 32;

export async function exportOpenpi(
  reader: EpisodeReader,
  path: string,
  options: Pick<ConvertOptions, "onProgress" | "signal"> & { readonly name: string },
): Promise<Exported> {
  const { name, ...callbacks } = options;
  const roles = findRoles(reader);
  const state = requireState(reader, roles, "openpi");
  const image = roles.scene ?? roles.cameras[0]!;
  const wrist = roles.wrist === image ? undefined : roles.wrist;
  const names = new Map([
    ...[[image, "image"] as const, [state, "state"] as const, [roles.action, "actions"] as const],
    ...(wrist === undefined ? [] : [[wrist, "wrist_image"] as const]),
  ]);
  const episodes = await convertDataset(reader, path, {
    ...{ ...callbacks, to: "lerobot-v2.1", pictures: "image" },
    leaveOut: Object.keys(reader.info.features).filter((key) => !names.has(key) && !(key in automaticFeatures)),
    rename: Object.fromEntries([...names].filter(([from, to]) => from !== to)),
  });
  const folder = join(path, "assets", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "norm_stats.json"), `${JSON.stringify(await normStats(path), null, 2)}\n`);
  const dims = reader.info.features[roles.action]!.shape.reduce((product, side) => product * side, 1);
  await writeFile(join(path, "openpi_config.py"), configOf(basename(name), dims, wrist !== undefined));
  const notes =
    dims > mostDimensions
      ? [`openpi's checkpoints have room for ${mostDimensions} dimensions, actions have ${dims}`]
      : [];
  return { episodes, files: [`assets/${name}/norm_stats.json`, "openpi_config.py"], notes };
}

/** Statistics over all rows, exact. */
async function normStats(path: string) {
  const set = await openLeRobot(path);
  const entries: [string, unknown][] = [];
  for (const key of ["state", "actions"]) {
    const parts: number[][] = [];
    for (const { index } of set.episodes)
      parts.push(Array.from((await set.episode(index)).columns[key] as Float32Array, Number));
    const { mean, std, q01, q99 } = columnStatistics(set.info.features[key]!, parts.flat());
    entries.push([key, { mean, std, q01, q99 }]);
  }
  await set.close();
  return { norm_stats: Object.fromEntries(entries) };
}

const configOf = (name: string, actions: number, hasWrist: boolean) => `\
"""Training configuration for openpi. Put the data set into $HF_LEROBOT_HOME/${name} and append CONFIG to _CONFIGS in
src/openpi/training/config.py. Normalisation statistics are in assets/; openpi's compute_norm_stats.py gives its own."""
import dataclasses
import pathlib

import einops
import numpy as np
from openpi import transforms
from openpi.models import model, pi0_config
from openpi.training import config, weight_loaders


def to_picture(image):
    """u8[H, W, 3] from what the loader gives: f32[3, H, W] in [0, 1]."""
    image = np.asarray(image)
    if np.issubdtype(image.dtype, np.floating):
        image = (255 * image).astype(np.uint8)
    return einops.rearrange(image, "c h w -> h w c") if image.shape[0] == 3 else image


@dataclasses.dataclass(frozen=True)
class Inputs(transforms.DataTransformFn):
    model_type: model.ModelType

    def __call__(self, data: dict) -> dict:
        base = to_picture(data["image"])
        absent = np.zeros_like(base)
        used = np.True_ if self.model_type == model.ModelType.PI0_FAST else np.False_
        inputs = {
            "state": data["state"],
            "image": {
                "base_0_rgb": base,
                "left_wrist_0_rgb": ${hasWrist ? 'to_picture(data["wrist_image"])' : "absent"},
                "right_wrist_0_rgb": absent,
            },
            "image_mask": {"base_0_rgb": np.True_, "left_wrist_0_rgb": ${hasWrist ? "np.True_" : "used"}, "right_wrist_0_rgb": used},
        }
        return inputs | {key: data[key] for key in ("actions", "prompt") if key in data}


@dataclasses.dataclass(frozen=True)
class Outputs(transforms.DataTransformFn):
    def __call__(self, data: dict) -> dict:
        return {"actions": np.asarray(data["actions"][:, :${actions}])}


@dataclasses.dataclass(frozen=True)
class Data(config.DataConfigFactory):
    def create(self, assets_dirs: pathlib.Path, model_config: model.BaseModelConfig) -> config.DataConfig:
        keys = {key: key for key in (${hasWrist ? '"image", "wrist_image"' : '"image"'}, "state", "actions", "prompt")}
        return dataclasses.replace(
            self.create_base_config(assets_dirs, model_config),
            repack_transforms=transforms.Group(inputs=[transforms.RepackTransform(keys)]),
            data_transforms=transforms.Group(inputs=[Inputs(model_config.model_type)], outputs=[Outputs()]),
            model_transforms=config.ModelTransformFactory()(model_config),
            action_sequence_keys=("actions",),
        )


CONFIG = config.TrainConfig(
    name="pi05_${name}",
    model=pi0_config.Pi0Config(pi05=True, action_horizon=10),
    data=Data(repo_id="${name}", base_config=config.DataConfig(prompt_from_task=True)),
    weight_loader=weight_loaders.CheckpointWeightLoader("gs://openpi-assets/checkpoints/pi05_base/params"),
)
`;
