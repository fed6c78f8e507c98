import type { StateLog, TaskInstance, Verdict } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import type { Vector3 } from "#core/geometry/quaternion.ts";
import type { Effector, Embodiment } from "../embodiments/embodiment.ts";
import { findEmbodiment } from "../embodiments/index.ts";
import type { MainModule } from "../physics/mujoco.ts";
import { dressScene, type Geometry, readGeometry } from "../physics/read-scene.ts";
import { Simulation } from "../physics/simulation.ts";
import type { Scene, ScenePose } from "../scene/scene.ts";
import { findSuite, type Suite, type TableTruth } from "../suites/suite.ts";
import { type BlockKind, blockKinds } from "./blocks.ts";
import { cameraPoseAt, type TabletopInitial } from "./initial.ts";
import { tabletopModel } from "./model.ts";
import { blockHalfHeightM, substeps } from "./workspace.ts";

/** How an episode stands after a control step. */
export type Progress = { readonly done: boolean; readonly success: boolean; readonly unstable: boolean };

/** One compiled tabletop that instances of the same make share. */
type Stage = {
  readonly simulation: Simulation;
  readonly effector: Effector;
  readonly geometry: Geometry;
  /** Where each block's position starts in qpos. */
  readonly addresses: readonly number[];
};

const largestStageCount = 6;

/**
 * The physics of a tabletop episode, without pictures: an instance is set up, commands move the effector, and the state
 * log grows by one row per control step. What happened before a `reset` has no influence on what follows it.
 */
export class TabletopSimulation {
  private readonly mujoco: MainModule;
  private readonly stages = new Map<string, Stage>();
  private stage!: Stage;
  private sceneNow!: Scene;
  private current: TaskInstance | undefined;
  private embodimentNow!: Embodiment;
  private suite!: Suite;
  private initial!: TabletopInitial;
  private rows: Float64Array[] = [];
  private names: string[] = [];
  private stepNow = 0;

  constructor(mujoco: MainModule) {
    this.mujoco = mujoco;
  }

  reset(instance: TaskInstance): void {
    this.suite = findSuite(instance.suite);
    this.embodimentNow = findEmbodiment(instance.embodiment);
    this.initial = instance.initial as TabletopInitial;
    this.current = instance;
    this.stage = this.stageFor(this.embodimentNow, this.initial);
    const { simulation, effector, geometry, addresses } = this.stage;
    simulation.reset();
    for (const [index, block] of this.initial.blocks.entries()) {
      const [x, y, z, w] = block.quaternion;
      simulation.setPositions(addresses[index]!, [block.position[0], block.position[1], blockHalfHeightM, w, x, y, z]);
    }
    effector.place(this.initial.tip);
    this.stepNow = 0;
    this.moveCamera(0);
    simulation.refresh();
    this.sceneNow = dressScene(geometry, this.initial.looks);
    this.names = [
      "tip x",
      "tip y",
      ...this.initial.blocks.flatMap(({ id }) => poseNames.map((part) => `${id} ${part}`)),
    ];
    this.rows = [this.row()];
  }

  /** The compiled stage for an instance; the last few are kept. */
  private stageFor(embodiment: Embodiment, initial: TabletopInitial): Stage {
    const blocks = initial.blocks.map(({ id }) => findBlock(id));
    const xml = tabletopModel(embodiment, initial.variant, blocks, initial.camera.fovyDeg);
    const known = this.stages.get(xml);
    if (known) {
      this.stages.delete(xml);
      this.stages.set(xml, known);
      return known;
    }
    const simulation = new Simulation(this.mujoco, xml);
    const stage: Stage = {
      simulation,
      effector: embodiment.attach(simulation, initial.variant),
      geometry: readGeometry(this.mujoco, simulation.model),
      addresses: blocks.map(({ id }) => simulation.joint(id).position),
    };
    this.stages.set(xml, stage);
    for (const [oldest, { simulation: unused }] of this.stages) {
      if (this.stages.size <= largestStageCount) break;
      unused.close();
      this.stages.delete(oldest);
    }
    return stage;
  }

  /**
   * Runs one control step with an action f32[A] within the embodiment's limits.
   *
   * @returns how the episode stands, and the actuator targets that were used, f64[U], for the log
   */
  advance(action: ArrayLike<number>): { readonly progress: Progress; readonly controls: Float64Array } {
    const controls = this.stage.effector.command(action);
    return { progress: this.advanceControls(controls), controls };
  }

  /** Runs one control step with logged actuator targets: what replays do. */
  advanceControls(controls: Float64Array): Progress {
    this.moveCamera(this.stepNow + 1);
    this.drive(substeps, controls);
    return this.endControlStep();
  }

  /** Runs physics steps while the actuators are led to `controls`. */
  drive(steps: number, controls: Float64Array): void {
    this.stage.simulation.advance(steps, controls);
  }

  /** Adds what is now to the log and judges it. */
  endControlStep(): Progress {
    this.stepNow += 1;
    this.rows.push(this.row());
    const unstable = this.stage.simulation.isUnstable();
    const isMet = !unstable && this.suite.isMet(this.log, this.instance.goal);
    const success = isMet && this.verdict().success;
    return { done: success || unstable || this.stepNow >= this.suite.maxSteps(this.instance), success, unstable };
  }

  private moveCamera(step: number): void {
    const { position, quaternion } = cameraPoseAt(this.initial.camera, step);
    this.stage.simulation.setMocap(0, position, quaternion);
  }

  private row(): Float64Array {
    const { simulation, effector, addresses } = this.stage;
    const row = new Float64Array(2 + poseNames.length * addresses.length);
    row.set(effector.tip());
    for (const [index, address] of addresses.entries()) {
      row.set(simulation.positions(address, poseNames.length), 2 + poseNames.length * index);
    }
    return row;
  }

  get instance(): TaskInstance {
    if (!this.current) throw new Error("the world has no episode yet: call reset first");
    return this.current;
  }

  get embodiment(): Embodiment {
    return this.embodimentNow;
  }

  get scene(): Scene {
    return this.sceneNow;
  }

  /** Control steps since reset. */
  get step(): number {
    return this.stepNow;
  }

  get log(): StateLog {
    return { names: this.names, rows: this.rows };
  }

  pose(): ScenePose {
    return this.stage.simulation.pose(this.stage.geometry.geomIds);
  }

  /** Positions and velocities of `count` joints in a row, from the named one on. */
  joints(first: string, count: number): { readonly positions: Float64Array; readonly velocities: Float64Array } {
    const { simulation } = this.stage;
    const { position, velocity } = simulation.joint(first);
    return { positions: simulation.positions(position, count), velocities: simulation.velocities(velocity, count) };
  }

  /** The tip in the world: metres, and a row-major rotation f64[9]. */
  tip(): { readonly position: Vector3; readonly rotation: Float64Array } {
    return this.stage.simulation.site("tip");
  }

  /** f32[S] of the embodiment. */
  state(): Float32Array {
    return this.stage.effector.state();
  }

  /** Where tip and blocks truly are now: for experts and probes, never for policies. */
  truth(): TableTruth {
    return this.suite.truth(this.log, this.rows.length - 1);
  }

  verdict(): Verdict {
    return this.suite.verify(this.log, this.instance.goal);
  }

  snapshot(): {
    readonly state: Float64Array;
    readonly step: number;
    readonly memory: readonly number[];
    readonly rows: readonly Float64Array[];
  } {
    return {
      state: this.stage.simulation.snapshot(),
      step: this.stepNow,
      memory: this.stage.effector.memory(),
      rows: [...this.rows],
    };
  }

  restore(snapshot: ReturnType<TabletopSimulation["snapshot"]>): void {
    this.stage.simulation.restore(snapshot.state);
    this.stage.effector.remember(snapshot.memory);
    this.stepNow = snapshot.step;
    this.rows = [...snapshot.rows];
  }

  close(): void {
    for (const { simulation } of this.stages.values()) simulation.close();
    this.stages.clear();
    this.current = undefined;
  }
}

const poseNames = ["x", "y", "z", "qw", "qx", "qy", "qz"] as const;

function findBlock(id: string): BlockKind {
  const found = blockKinds.find((candidate) => candidate.id === id);
  if (found) return found;
  throw new ConfigError(
    `instance: blocks must be known, got "${id}". Use ${blockKinds.map((kind) => kind.id).join(", ")}.`,
  );
}
