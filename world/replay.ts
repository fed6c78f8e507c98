import { loadPhysics } from "./physics/mujoco.ts";
import { packPoses, stateDigest } from "./rollout.ts";
import type { RolloutLog } from "./scene/rollout-log.ts";
import type { ScenePose } from "./scene/scene.ts";
import { TabletopSimulation } from "./tabletop/simulation.ts";

export type Replay = {
  /** Every recorded pose and the final physics state came out the same to the last bit. */
  readonly isExact: boolean;
  /** First frame whose poses differ; null when none does. */
  readonly firstDifference: number | null;
  /** SHA-256 of the final physics state. */
  readonly stateDigest: string;
};

/** Runs a rollout's logged actuator targets through the physics again and compares every frame with the log. */
export async function replayRollout(log: RolloutLog): Promise<Replay> {
  const simulation = new TabletopSimulation(await loadPhysics());
  try {
    simulation.reset(log.instance);
    const steps = log.frames - 1;
    const width = steps === 0 ? 0 : log.controls.length / steps;
    const poses: ScenePose[] = [simulation.pose()];
    for (let step = 0; step < steps; step++) {
      simulation.advanceControls(log.controls.slice(step * width, (step + 1) * width));
      poses.push(simulation.pose());
    }
    const geoms = packPoses(poses, (pose) => [pose.geomPositions, pose.geomRotations]);
    const difference = geoms.findIndex((value, index) => !Object.is(value, log.geomPoses[index]));
    const digest = stateDigest(simulation.snapshot().state);
    return {
      isExact: difference < 0 && geoms.length === log.geomPoses.length && digest === log.stateDigest,
      firstDifference: difference < 0 ? null : Math.floor(difference / (geoms.length / log.frames)),
      stateDigest: digest,
    };
  } finally {
    simulation.close();
  }
}
