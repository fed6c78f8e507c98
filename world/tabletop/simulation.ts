import type { StateLog, TaskInstance, Verdict } from "#core/contracts/world.ts";
import type { Vector3 } from "#core/geometry/quaternion.ts";
import type { Effector, Embodiment } from "../embodiments/embodiment.ts";
import type { MainModule } from "../physics/mujoco.ts";
import { dressScene, type Geometry, readGeometry } from "../physics/read-scene.ts";
import { type JointAddress, Simulation } from "../physics/simulation.ts";
import type { Scene, ScenePose } from "../scene/scene.ts";
import { findEmbodiment, findSuite } from "../suites/index.ts";
import type { Suite, TableTruth } from "../suites/suite.ts";
import { cameraPoseAt, type TabletopInitial } from "./initial.ts";
import { tabletopModel } from "./model.ts";

/** How an episode stands after a control step. */
export type Progress = { readonly done: boolean; readonly success: boolean; readonly unstable: boolean };

/** One compiled tabletop that instances of the same make share. */
type Stage = {
  readonly simulation: Simulation;
  readonly effector: Effector;
  readonly geometry: Geometry;
  /** Where the state of each free object, and of each joint of the scenery, starts. */
  readonly objects: readonly JointAddress[];
  readonly joints: readonly JointAddress[];
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
    this.embodimentNow = findEmbodiment(instance.embodiment, instance.suite);
    this.initial = instance.initial as TabletopInitial;
    this.current = instance;
    this.stage = this.stageFor(this.embodimentNow, this.initial);
    const { simulation, effector, geometry, objects, joints } = this.stage;
    simulation.reset();
    for (const [index, { position, quaternion }] of this.initial.objects.entries()) {
      const [x, y, z, w] = quaternion;
      simulation.setPositions(objects[index]!.position, [...position, w, x, y, z]);
    }
    for (const [index, value] of Object.values(this.initial.joints).entries()) {
      simulation.setPositions(joints[index]!.position, [value]);
    }
    effector.place(this.initial.tip);
    this.stepNow = 0;
    this.moveCamera(0);
    simulation.refresh();
    this.sceneNow = dressScene(geometry, this.initial.looks);
    this.names = [
      ...this.embodimentNow.logNames,
      ...this.initial.objects.flatMap(({ id }) => poseNames.map((part) => `${id} ${part}`)),
      ...Object.keys(this.initial.joints),
    ];
    this.rows = [this.row()];
  }

  /** The compiled stage for an instance; the last few are kept. */
  private stageFor(embodiment: Embodiment, initial: TabletopInitial): Stage {
    const { variant, camera, dynamics } = initial;
    const { physics } = this.suite;
    const scenery = this.suite.scenery(initial);
    const xml = tabletopModel({ embodiment, variant, scenery, physics, fovyDeg: camera.fovyDeg, dynamics });
    const known = this.stages.get(xml);
    if (known) {
      this.stages.delete(xml);
      this.stages.set(xml, known);
      return known;
    }
    const simulation = new Simulation(this.mujoco, xml);
    const stage: Stage = {
      simulation,
      effector: embodiment.attach(simulation, variant),
      geometry: readGeometry(this.mujoco, simulation.model),
      objects: initial.objects.map(({ id }) => simulation.joint(id)),
      joints: Object.keys(initial.joints).map((name) => simulation.joint(name)),
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

  /** What an action of the tool (an expert's) comes to in the embodiment's own action space, f32[A]. */
  fromTool(action: Float32Array): Float32Array {
    return this.stage.effector.fromTool?.(action) ?? action;
  }

  /** Runs one control step with logged actuator targets: what replays do. */
  advanceControls(controls: Float64Array): Progress {
    this.moveCamera(this.stepNow + 1);
    this.nudge();
    this.drive(this.substeps, controls);
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

  /** Gives objects the velocities that the instance wants in this step. */
  private nudge(): void {
    for (const { step, object, velocity } of this.initial.nudges) {
      if (step !== this.stepNow) continue;
      const index = this.initial.objects.findIndex(({ id }) => id === object);
      this.stage.simulation.setVelocities(this.stage.objects[index]!.velocity, velocity);
    }
  }

  private moveCamera(step: number): void {
    const { position, quaternion } = cameraPoseAt(this.initial.camera, step);
    this.stage.simulation.setMocap(0, position, quaternion);
  }

  private row(): Float64Array {
    const { simulation, effector, objects, joints } = this.stage;
    const poses = objects.flatMap(({ position }) => [...simulation.positions(position, poseNames.length)]);
    const positions = joints.map(({ position }) => simulation.positions(position, 1)[0]!);
    return Float64Array.from([...effector.logged(), ...poses, ...positions]);
  }

  get instance(): TaskInstance {
    if (!this.current) throw new Error("the world has no episode yet: call reset first");
    return this.current;
  }

  get embodiment(): Embodiment {
    return this.embodimentNow;
  }

  /** Control steps per second. */
  get rateHz(): number {
    return this.suite.physics.rateHz;
  }

  /** Physics steps in one control step, and their length. */
  get substeps(): number {
    return Math.round(1 / (this.suite.physics.rateHz * this.suite.physics.timestepS));
  }

  get timestepS(): number {
    return this.suite.physics.timestepS;
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

  /** MJCF of the present table, and where everything in it is, f64[nq]: what another simulator needs. */
  get modelText(): string {
    return this.stage.simulation.text;
  }

  positions(): Float64Array {
    const { simulation } = this.stage;
    return simulation.positions(0, simulation.model.nq);
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
