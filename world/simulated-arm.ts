import type { Image } from "#core/contracts/image.ts";
import type { TaskInstance, Verdict } from "#core/contracts/world.ts";
import { ConfigError, RobotError } from "#core/errors.ts";
import { clipToLimits, limitJointSpeed, type Pose } from "#core/geometry/kinematics.ts";
import { quaternionFromMatrix } from "#core/geometry/quaternion.ts";
import { arm } from "./embodiments/arm/arm.ts";
import { armChain, armJointNames } from "./embodiments/arm/chain.ts";
import { loadPhysics } from "./physics/mujoco.ts";
import { type PictureOptions, Pictures } from "./pictures.ts";
import type { TableTruth } from "./suites/suite.ts";
import { TabletopSimulation } from "./tabletop/simulation.ts";

export type ArmReading = {
  /** Simulated time since the reset, seconds. */
  readonly timeS: number;
  /** f64[6], radians and radians per second, in the order of `armJointNames`. */
  readonly positionsRad: Float64Array;
  readonly velocitiesRadS: Float64Array;
  /** Where the servos are being led now, f64[6]: follows the commanded targets at no more than the joints' speed limits. */
  readonly setpointsRad: Float64Array;
  /** The end of the rod in the world. */
  readonly tip: Pose;
};

/** How the task stands. The clock of the task starts with the first command after a reset. */
export type ArmTask = Verdict & { readonly isOver: boolean; readonly elapsedS: number };

const count = armJointNames.length;

/**
 * The arm on its table as a robot that is driven by joint positions: targets may come at any time, physics runs when
 * `advance` is called, and the joints never go faster than their limits however far a target is.
 */
export class SimulatedArm {
  private readonly simulation: TabletopSimulation;
  private readonly pictures: Pictures;
  private setpoints: Float64Array = new Float64Array(count);
  private targets: Float64Array = new Float64Array(count);
  private steps = 0;
  /** Time asked for that is shorter than a physics step. */
  private owedS = 0;
  /** Physics steps of the current control step; null until the task's clock runs. */
  private stepsIn: number | null = null;
  private task: ArmTask = { success: false, reasons: [], isOver: false, elapsedS: 0 };

  private constructor(simulation: TabletopSimulation, options: PictureOptions) {
    this.simulation = simulation;
    this.pictures = new Pictures(options);
  }

  /** Loads the physics and sets the table for a task of embodiment `arm`. Close the arm when done. */
  static async open(instance: TaskInstance, options: PictureOptions = {}): Promise<SimulatedArm> {
    const simulated = new SimulatedArm(new TabletopSimulation(await loadPhysics()), options);
    simulated.reset(instance);
    return simulated;
  }

  /** Sets the table for a task; the arm stands where the task says, at rest. @throws ConfigError for other embodiments */
  reset(instance: TaskInstance): void {
    if (instance.embodiment !== arm.id) {
      throw new ConfigError(
        `simulated arm: the task must be one of embodiment "${arm.id}", got "${instance.embodiment}". Draw it for the arm.`,
      );
    }
    this.simulation.reset(instance);
    this.setpoints = Float64Array.from(this.simulation.state().subarray(0, count));
    this.targets = this.setpoints.slice();
    this.steps = 0;
    this.owedS = 0;
    this.stepsIn = null;
    this.task = { ...this.simulation.verdict(), isOver: false, elapsedS: 0 };
  }

  /**
   * Where the joints are to go from now on, f64[6] radians; clipped to their limits.
   *
   * @throws RobotError when it is not six finite numbers; the targets before stay
   */
  setTargets(positionsRad: ArrayLike<number>): void {
    const values = Array.from(positionsRad);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (values.length !== count || bad >= 0) {
      const got = values.length === count ? `${values[bad]} for "${armJointNames[bad]}"` : `${values.length} values`;
      throw new RobotError(
        `simulated arm: targets must be ${count} finite joint positions, got ${got}. Send whole commands.`,
      );
    }
    this.targets = clipToLimits(armChain, values);
    this.stepsIn ??= 0;
  }

  /** Stops where the joints are being led now. */
  hold(): void {
    this.targets = this.setpoints.slice();
  }

  /** Runs the physics for so many seconds (whole steps of 5 ms; the rest is kept for the next call). */
  advance(durationS: number): void {
    const { substeps, timestepS } = this.simulation;
    this.owedS += durationS;
    let left = Math.floor(this.owedS / timestepS + 1e-9);
    this.owedS -= left * timestepS;
    while (left > 0) {
      const steps = Math.min(left, substeps - (this.stepsIn ?? 0));
      this.setpoints = limitJointSpeed(armChain, this.setpoints, this.targets, steps * timestepS);
      this.simulation.drive(steps, this.setpoints);
      this.steps += steps;
      left -= steps;
      if (this.stepsIn === null) continue;
      this.stepsIn += steps;
      if (this.stepsIn === substeps) this.endControlStep();
    }
  }

  private endControlStep(): void {
    this.stepsIn = 0;
    if (this.task.isOver) return;
    const { done, unstable } = this.simulation.endControlStep();
    const verdict = unstable ? { success: false, reasons: ["the physics became unstable"] } : this.simulation.verdict();
    this.task = { ...verdict, isOver: done, elapsedS: this.simulation.step / this.simulation.rateHz };
  }

  read(): ArmReading {
    const { positions, velocities } = this.simulation.joints(armJointNames[0]!, count);
    const { position, rotation } = this.simulation.tip();
    return {
      timeS: this.steps * this.simulation.timestepS,
      positionsRad: positions,
      velocitiesRadS: velocities,
      setpointsRad: this.setpoints.slice(),
      tip: { position, quaternion: quaternionFromMatrix(rotation) },
    };
  }

  /** What camera `front` sees now, u8[size, size, 3]. */
  picture(size: number): Image {
    return this.pictures.render(this.simulation.scene, this.simulation.pose(), 0, size);
  }

  /** How the task stands: judged ten times a second until it is solved, failed or out of time. */
  verdict(): ArmTask {
    return this.task;
  }

  /** Where everything truly was at the last control step: for experts and probes, never for policies. */
  truth(): TableTruth {
    return this.simulation.truth();
  }

  get instance(): TaskInstance {
    return this.simulation.instance;
  }

  close(): void {
    this.simulation.close();
  }
}
