import type { Vector3 } from "#core/geometry/quaternion.ts";
import type { ScenePose } from "../scene/scene.ts";
import { setAsleep } from "./asleep.ts";
import {
  acquireModel,
  type MainModule,
  type MjData,
  type MjModel,
  type ModelSource,
  modelSource,
  releaseModel,
} from "./mujoco.ts";

/** Warnings that mean the numbers are no longer physics. */
const unstableWarnings = [
  "mjWARN_INERTIA",
  "mjWARN_BADQPOS",
  "mjWARN_BADQVEL",
  "mjWARN_BADQACC",
  "mjWARN_BADCTRL",
] as const;

/** Metres in the world, and a row-major rotation f64[9]. */
export type Placed = { readonly position: Vector3; readonly rotation: Float64Array };

function placedAt(id: number, positions: Float64Array, rotations: Float64Array): Placed {
  const [x, y, z] = positions.subarray(3 * id, 3 * id + 3);
  return { position: [x!, y!, z!], rotation: rotations.slice(9 * id, 9 * id + 9) };
}

/** Where a joint's first position and velocity sit in qpos and qvel. */
export type JointAddress = { readonly position: number; readonly velocity: number };

/**
 * One MuJoCo model with its own state. All array access goes through methods that read the live view at once, because
 * views detach when the heap grows.
 */
export class Simulation {
  readonly model: MjModel;
  readonly timestepS: number;
  readonly actuators: number;
  private readonly mujoco: MainModule;
  private readonly source: ModelSource;
  private readonly data: MjData;
  private readonly stateSignature: number;
  private readonly stateBuffer: InstanceType<MainModule["DoubleBuffer"]>;
  /** Belongs to `data`: deleting it would free memory that is not its own. Its entries are copies. */
  private readonly warnings: MjData["warning"];
  private closed = false;

  /** @param model MJCF or URDF; equal texts share one compiled model */
  constructor(mujoco: MainModule, model: string | ModelSource) {
    this.mujoco = mujoco;
    this.source = typeof model === "string" ? modelSource(model) : model;
    this.model = acquireModel(mujoco, this.source);
    this.data = new mujoco.MjData(this.model);
    this.warnings = this.data.warning;
    this.timestepS = this.model.opt.timestep;
    this.actuators = this.model.nu;
    this.stateSignature = mujoco.mjtState.mjSTATE_INTEGRATION.value;
    this.stateBuffer = new mujoco.DoubleBuffer(mujoco.mj_stateSize(this.model, this.stateSignature));
  }

  /** MJCF or URDF of the model. */
  get text(): string {
    return this.source.xml;
  }

  /** Back to the model's initial state; every body awake, no warnings. */
  reset(): void {
    this.mujoco.mj_resetData(this.model, this.data);
  }

  /** Back to the model's first keyframe, or to its initial state when it has none. */
  resetToKeyframe(): void {
    if (this.model.nkey > 0) this.mujoco.mj_resetDataKeyframe(this.model, this.data, 0);
    else this.reset();
    this.refresh();
  }

  setPositions(start: number, values: ArrayLike<number>): void {
    const qpos = this.data.qpos as Float64Array;
    for (let index = 0; index < values.length; index++) qpos[start + index] = values[index]!;
  }

  setVelocities(start: number, values: ArrayLike<number>): void {
    const qvel = this.data.qvel as Float64Array;
    for (let index = 0; index < values.length; index++) qvel[start + index] = values[index]!;
  }

  positions(start: number, count: number): Float64Array {
    return (this.data.qpos as Float64Array).slice(start, start + count);
  }

  velocities(start: number, count: number): Float64Array {
    return (this.data.qvel as Float64Array).slice(start, start + count);
  }

  setControls(controls: ArrayLike<number>): void {
    const ctrl = this.data.ctrl as Float64Array;
    for (let index = 0; index < controls.length; index++) ctrl[index] = controls[index]!;
  }

  controls(): Float64Array {
    return (this.data.ctrl as Float64Array).slice();
  }

  /** Moves a mocap body; `quaternion` is [x, y, z, w]. */
  setMocap(index: number, position: ArrayLike<number>, quaternion: ArrayLike<number>): void {
    const positions = this.data.mocap_pos as Float64Array;
    const quaternions = this.data.mocap_quat as Float64Array;
    for (let axis = 0; axis < 3; axis++) positions[3 * index + axis] = position[axis]!;
    for (let part = 0; part < 4; part++) quaternions[4 * index + part] = quaternion[(part + 3) % 4]!;
  }

  /** Recomputes everything that depends on the positions, without moving time. */
  refresh(): void {
    this.mujoco.mj_kinematics(this.model, this.data);
    this.mujoco.mj_camlight(this.model, this.data);
  }

  /**
   * Runs `steps` physics steps while the controls move in a straight line from where they are to `target`, so that a
   * 10 Hz command is a smooth motion.
   */
  advance(steps: number, target: ArrayLike<number>): void {
    const { mujoco, model, data } = this;
    const start = (data.ctrl as Float64Array).slice();
    for (let step = 1; step <= steps; step++) {
      const share = step / steps;
      const ctrl = data.ctrl as Float64Array;
      for (let index = 0; index < start.length; index++) {
        ctrl[index] = start[index]! + share * (target[index]! - start[index]!);
      }
      mujoco.mj_step(model, data);
    }
    this.refresh();
  }

  /** Runs `steps` physics steps with the controls at `target` all the time. */
  hold(steps: number, target: ArrayLike<number>): void {
    this.setControls(target);
    for (let step = 0; step < steps; step++) this.mujoco.mj_step(this.model, this.data);
  }

  /** Poses of the chosen geoms and of all cameras, copied. Valid after `refresh` or `advance`. */
  pose(geoms: Int32Array): ScenePose {
    const positions = this.data.geom_xpos as Float64Array;
    const rotations = this.data.geom_xmat as Float64Array;
    const geomPositions = new Float64Array(3 * geoms.length);
    const geomRotations = new Float64Array(9 * geoms.length);
    for (let index = 0; index < geoms.length; index++) {
      const geom = geoms[index]!;
      for (let axis = 0; axis < 3; axis++) geomPositions[3 * index + axis] = positions[3 * geom + axis]!;
      for (let cell = 0; cell < 9; cell++) geomRotations[9 * index + cell] = rotations[9 * geom + cell]!;
    }
    return {
      geomPositions,
      geomRotations,
      cameraPositions: (this.data.cam_xpos as Float64Array).slice(),
      cameraRotations: (this.data.cam_xmat as Float64Array).slice(),
    };
  }

  /** Where a site is: metres in the world, and a row-major rotation f64[9]. Valid after `refresh` or `advance`. */
  site(name: string): Placed {
    return placedAt(this.id("SITE", name), this.data.site_xpos, this.data.site_xmat);
  }

  /** Where a body's frame is. Valid after `refresh` or `advance`. */
  body(name: string): Placed {
    return placedAt(this.id("BODY", name), this.data.xpos, this.data.xmat);
  }

  /** Lowest and highest position of a joint. */
  range(joint: string): Float64Array {
    const id = this.id("JOINT", joint);
    return (this.model.jnt_range as Float64Array).slice(2 * id, 2 * id + 2);
  }

  /** @throws Error when the model has no such object: a bug of the caller */
  id(kind: "BODY" | "JOINT" | "GEOM" | "SITE" | "CAMERA" | "ACTUATOR", name: string): number {
    const id = this.mujoco.mj_name2id(this.model, this.mujoco.mjtObj[`mjOBJ_${kind}`].value, name);
    if (id < 0) throw new Error(`the model has no ${kind.toLowerCase()} called "${name}"`);
    return id;
  }

  /** Addresses of a joint's first position and velocity. */
  joint(name: string): JointAddress {
    const id = this.id("JOINT", name);
    return { position: this.model.jnt_qposadr[id] as number, velocity: this.model.jnt_dofadr[id] as number };
  }

  /**
   * Everything that the next step depends on: mjSTATE_INTEGRATION (warm start and controls included), and then which
   * bodies sleep, which MuJoCo's own states leave out.
   */
  snapshot(): Float64Array {
    this.mujoco.mj_getState(this.model, this.data, this.stateBuffer as never, this.stateSignature);
    const state = this.stateBuffer.GetView() as Float64Array;
    const asleep = this.data.tree_asleep as Int32Array;
    const snapshot = new Float64Array(state.length + asleep.length);
    snapshot.set(state);
    snapshot.set(asleep, state.length);
    return snapshot;
  }

  /**
   * Goes back to a snapshot. Poses and inertias of sleeping bodies are not computed again while they sleep, so everything
   * is computed once with all bodies awake, and only then are those put to sleep that slept.
   */
  restore(snapshot: Float64Array): void {
    const { mujoco, model, data } = this;
    const length = snapshot.length - (data.tree_asleep as Int32Array).length;
    const state = snapshot.slice(0, length) as never;
    mujoco.mj_resetData(model, data);
    mujoco.mj_setState(model, data, state, this.stateSignature);
    mujoco.mj_forward(model, data);
    mujoco.mj_setState(model, data, state, this.stateSignature);
    setAsleep(model, data, snapshot.subarray(length));
    this.refresh();
  }

  /** True once MuJoCo met bad positions, velocities, accelerations or controls (it resets itself silently then). */
  isUnstable(): boolean {
    return unstableWarnings.some((name) => {
      const entry = this.warnings.get(this.mujoco.mjtWarning[name].value);
      const count = entry?.number ?? 0;
      entry?.delete();
      return count > 0;
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.stateBuffer.delete();
    this.data.delete();
    releaseModel(this.source);
  }
}
