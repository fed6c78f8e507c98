/**
 * @file For Isaac-GR00T: LeRobot 2.1 with `meta/modality.json` (getting_started/data_preparation.md), and the Python
 * that registers its modalities for a new embodiment (examples/SO100/so100_config.py).
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { type ConvertOptions, convertDataset } from "../convert-dataset.ts";
import { automaticFeatures } from "../lerobot/columns.ts";
import type { Exported } from "./exported.ts";
import { findRoles, type Group, groupsOf, requireState, shortName } from "./roles.ts";

/** What GR00T predicts at a time (its own examples). */
const horizon = 16;

const slices = (groups: readonly Group[], key: string) =>
  Object.fromEntries(groups.map(({ name, start, end }) => [name, { original_key: key, start, end }]));

export async function exportGr00t(reader: EpisodeReader, path: string, options: Common): Promise<Exported> {
  const roles = findRoles(reader);
  const state = requireState(reader, roles, "GR00T");
  const { features } = reader.info;
  const kept = new Set([...roles.cameras, state, roles.action, ...Object.keys(automaticFeatures)]);
  const names = new Map(roles.cameras.map((camera) => [camera, `observation.images.${shortName(camera)}`]));
  names.set(state, "observation.state").set(roles.action, "action");
  const episodes = await convertDataset(reader, path, {
    ...options,
    to: "lerobot-v2.1",
    leaveOut: Object.keys(features).filter((name) => !kept.has(name)),
    rename: Object.fromEntries([...names].filter(([from, to]) => from !== to)),
  });
  const [states, actions] = [groupsOf(features[state]!), groupsOf(features[roles.action]!)];
  const cameras = roles.cameras.map(shortName);
  const modality = {
    state: slices(states, "observation.state"),
    action: slices(actions, "action"),
    video: Object.fromEntries(cameras.map((name) => [name, { original_key: `observation.images.${name}` }])),
    annotation: { "human.task_description": { original_key: "task_index" } },
  };
  await writeFile(join(path, "meta/modality.json"), `${JSON.stringify(modality, null, 4)}\n`);
  await writeFile(join(path, "gr00t_config.py"), configOf(cameras, states, actions));
  return { episodes, files: ["meta/modality.json", "gr00t_config.py"], notes: [] };
}

type Common = Pick<ConvertOptions, "onProgress" | "signal">;

const list = (groups: readonly Group[]) => JSON.stringify(groups.map(({ name }) => name));

const configOf = (cameras: readonly string[], states: readonly Group[], actions: readonly Group[]) => `\
"""Modalities of this data set, for --modality-config-path with --embodiment-tag NEW_EMBODIMENT."""
from gr00t.configs.data.embodiment_configs import register_modality_config
from gr00t.data.embodiment_tags import EmbodimentTag
from gr00t.data.types import ActionConfig, ActionFormat, ActionRepresentation, ActionType, ModalityConfig

# ABSOLUTE learns the numbers as they are stored. RELATIVE learns absolute joint targets as differences to the state.
STORED = ActionConfig(
    rep=ActionRepresentation.ABSOLUTE,
    type=ActionType.NON_EEF,
    format=ActionFormat.DEFAULT,
)

config = {
    "video": ModalityConfig(delta_indices=[0], modality_keys=${JSON.stringify(cameras)}),
    "state": ModalityConfig(delta_indices=[0], modality_keys=${list(states)}),
    "action": ModalityConfig(
        delta_indices=list(range(${horizon})),
        modality_keys=${list(actions)},
        action_configs=[STORED] * ${actions.length},
    ),
    "language": ModalityConfig(delta_indices=[0], modality_keys=["annotation.human.task_description"]),
}
register_modality_config(config, embodiment_tag=EmbodimentTag.NEW_EMBODIMENT)
`;
