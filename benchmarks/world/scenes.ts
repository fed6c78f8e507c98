/** @file The scenes in which both sides are measured. */
import { drawInstance, findSuite, pickPlacePresets, pushPresets, type SuiteConfig } from "#world/index.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";
import { TabletopSimulation } from "#world/tabletop/simulation.ts";
import type { NativeJob } from "./native.ts";

export const scenes: readonly (readonly [name: string, suite: SuiteConfig, embodiment: string])[] = [
  ["push with a pusher", pushPresets["language-table"], "pusher"],
  ["push with an arm", pushPresets["language-table"], "arm"],
  ["pick-place with a WidowX", pickPlacePresets["pick-place"], "widowx"],
];

/** A scene in its start state with an expert's actuator targets, for both sides. */
export async function prepare(suite: SuiteConfig, embodiment: string, seconds: number, size: number) {
  const simulation = new TabletopSimulation(await loadPhysics());
  const instance = drawInstance({ suite, embodiment, split: "train", seed: 1 });
  simulation.reset(instance);
  const { camera } = instance.initial as TabletopInitial;
  const [x, y, z, w] = camera.quaternion;
  const ctrl: number[][] = [];
  const expert = findSuite(suite.suite).expert(instance, "benchmark");
  const xml = simulation.modelText;
  const qpos = [...simulation.positions()];
  const { scene } = simulation;
  const pose = simulation.pose();
  for (let done = false; !done; ) {
    const { controls, progress } = simulation.advance(simulation.fromTool(expert.act(simulation.truth())));
    ctrl.push([...controls]);
    done = progress.done;
  }
  simulation.close();
  const job: NativeJob = {
    xml,
    qpos,
    ctrl,
    mocapPosition: camera.position,
    mocapQuaternion: [w, x, y, z],
    seconds,
    size,
  };
  return { job, scene, pose };
}

/** The same MJCF with what our pictures show too: a light that casts shadows, and a texture on the table. */
export function lit({ xml, ...job }: NativeJob, shadowMapSize: number | undefined): NativeJob {
  const quality = shadowMapSize === undefined ? "" : `<visual><quality shadowsize="${shadowMapSize}"/></visual>`;
  const texture =
    '<texture name="grain" type="2d" builtin="checker" width="128" height="128" rgb1="0.7 0.7 0.7" rgb2="0.6 0.6 0.6"/>' +
    '<material name="grain" texture="grain" texrepeat="4 4"/>';
  const light = '<light pos="0.3 -0.3 1.5" dir="-0.2 0.2 -1" directional="true" castshadow="true"/>';
  return {
    ...job,
    xml: xml
      .replace("<asset>", `${quality}<asset>${texture}`)
      .replace("<asset/>", `${quality}<asset>${texture}</asset>`)
      .replace("<worldbody>", `<worldbody>${light}`)
      .replace('name="table"', 'name="table" material="grain"'),
  };
}
