import type { Image } from "#core/contracts/image.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { StateLog, StepResult, TaskInstance, Verdict, World, WorldSnapshot } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import { clipAction } from "./embodiments/embodiment.ts";
import { loadPhysics } from "./physics/mujoco.ts";
import { type PictureOptions, Pictures } from "./pictures.ts";
import { RolloutRecorder } from "./rollout.ts";
import type { RolloutLog } from "./scene/rollout-log.ts";
import type { Scene, ScenePose } from "./scene/scene.ts";
import type { TableTruth } from "./suites/suite.ts";
import { type Progress, TabletopSimulation } from "./tabletop/simulation.ts";

export type WorldOptions = PictureOptions & {
  /** Side of the square pictures, pixels. */
  readonly size: number;
  /** What `observe` takes pictures with; default `front` alone. */
  readonly cameras?: readonly string[];
};

type SimulationSnapshot = ReturnType<TabletopSimulation["snapshot"]>;

/**
 * One simulated tabletop: `reset` sets an instance up, `step` runs one control step and takes the next picture.
 * `advance` is `step` without the picture, for action chunks.
 */
export class SimulatedWorld implements World {
  private readonly simulation: TabletopSimulation;
  private readonly options: WorldOptions;
  private readonly pictures: Pictures;
  private recorder!: RolloutRecorder;
  private latest: Progress = { done: false, success: false, unstable: false };

  constructor(simulation: TabletopSimulation, options: WorldOptions) {
    this.simulation = simulation;
    this.options = options;
    this.pictures = new Pictures(options);
  }

  reset(instance: TaskInstance): Observation {
    this.start(instance);
    return this.observe();
  }

  /** `reset` without the first picture. */
  start(instance: TaskInstance): void {
    this.simulation.reset(instance);
    this.latest = { done: false, success: false, unstable: false };
    const { scene, embodiment, rateHz } = this.simulation;
    this.recorder = new RolloutRecorder(instance, scene, embodiment.space.names, rateHz);
  }

  step(action: Float32Array): StepResult {
    const progress = this.advance(action);
    return { observation: this.observe(), ...progress };
  }

  /** Runs one control step without taking a picture. @param action f32[A], clipped to the embodiment's limits */
  advance(action: Float32Array): Progress {
    if (this.latest.done) return this.latest;
    const sent = clipAction(this.simulation.embodiment.space, action);
    const pose = this.simulation.pose();
    const { progress, controls } = this.simulation.advance(sent);
    this.recorder.add(pose, sent, controls);
    this.latest = progress;
    return progress;
  }

  /** Runs one control step with an action of the tool, as the suite's experts give it, whatever the body is driven by. */
  advanceTool(action: Float32Array): Progress {
    return this.latest.done ? this.latest : this.advance(this.simulation.fromTool(action));
  }

  observe(): Observation {
    return {
      images: Object.fromEntries(
        (this.options.cameras ?? ["front"]).map((name) => [name, this.render(this.options.size, name)]),
      ),
      state: this.simulation.state(),
      instruction: this.simulation.instance.instruction,
      stampNs: BigInt(this.simulation.step) * BigInt(Math.round(1e9 / this.simulation.rateHz)),
    };
  }

  /**
   * What a camera sees, u8[size, size, 3]; any size, so that people can look closer than policies do.
   *
   * @throws ConfigError when the scene has no such camera
   */
  render(size: number, camera = "front"): Image {
    const { scene, instance } = this.simulation;
    const index = scene.cameras.findIndex(({ name }) => name === camera);
    if (index >= 0) return this.pictures.render(scene, this.pose(), index, size);
    const known = scene.cameras.map(({ name }) => name).join(", ");
    throw new ConfigError(
      `camera: must be one of ${known} with embodiment "${instance.embodiment}", got "${camera}". Choose one.`,
    );
  }

  /** Name and version of what draws the pictures; belongs into every data set's metadata. */
  get rendererId(): string {
    return this.pictures.rendererId(this.simulation.scene, this.options.size);
  }

  get instance(): TaskInstance {
    return this.simulation.instance;
  }

  /** Control steps since the start. */
  get stepsTaken(): number {
    return this.simulation.step;
  }

  /** A, the numbers of one action. */
  get actionSize(): number {
    return this.simulation.embodiment.space.names.length;
  }

  get progress(): Progress {
    return this.latest;
  }

  get scene(): Scene {
    return this.simulation.scene;
  }

  pose(): ScenePose {
    return this.simulation.pose();
  }

  /** Where everything truly is: for experts and probes, never for policies. */
  truth(): TableTruth {
    return this.simulation.truth();
  }

  /** The same in full, a row for every moment until now. */
  stateLog(): StateLog {
    const { names, rows } = this.simulation.log;
    return { names: [...names], rows: [...rows] };
  }

  verdict(): Verdict {
    return this.simulation.verdict();
  }

  /** The episode so far as a rollout log. */
  log(policyId: string): RolloutLog {
    const verdict = this.verdict();
    return this.recorder.finish(policyId, this.pose(), verdict, this.simulation.snapshot().state);
  }

  snapshot(): WorldSnapshot {
    const snapshot = this.simulation.snapshot();
    const extra: WorldExtra = {
      hash: this.instance.hash,
      progress: this.latest,
      memory: snapshot.memory,
      rows: snapshot.rows,
      recorded: this.recorder.snapshot(),
    };
    return { state: snapshot.state, step: snapshot.step, extra };
  }

  /** Goes back to a snapshot of the same instance. */
  restore({ state, step, extra }: WorldSnapshot): void {
    const { hash, progress, memory, rows, recorded } = extra as WorldExtra;
    if (hash !== this.instance.hash)
      throw new Error("a snapshot can be restored only into the instance it was taken of");
    this.simulation.restore({ state, step, memory, rows });
    this.recorder.restore(recorded);
    this.latest = progress;
  }

  close(): void {
    this.simulation.close();
  }
}

type WorldExtra = Pick<SimulationSnapshot, "memory" | "rows"> & {
  readonly hash: string;
  readonly progress: Progress;
  readonly recorded: ReturnType<RolloutRecorder["snapshot"]>;
};

/** Loads the physics and makes a world. Close it when done: its memory is not garbage collected. */
export async function createWorld(options: WorldOptions): Promise<SimulatedWorld> {
  return new SimulatedWorld(new TabletopSimulation(await loadPhysics()), options);
}
