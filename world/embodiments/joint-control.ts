/** @file The same arms, driven by joint positions or joint speeds instead of by where the tool goes. */
import type { ActionSpace } from "#core/contracts/action.ts";
import { clipToLimits, type KinematicChain, limitJointSpeed } from "#core/geometry/kinematics.ts";
import type { Simulation } from "../physics/simulation.ts";
import type { Effector, Embodiment } from "./embodiment.ts";

export type JointMode = "joint-position" | "joint-velocity";

type JointControl = {
  readonly chain: KinematicChain;
  readonly rateHz: number;
  /** Half the gap of open jaws, metres, where there are any. */
  readonly halfOpenM?: number;
};

function jointSpace({ chain, halfOpenM }: JointControl, kind: JointMode): ActionSpace {
  const { joints } = chain;
  const isPosition = kind === "joint-position";
  const low = joints.map((joint) => (isPosition ? joint.low : -joint.velocityLimit));
  const high = joints.map((joint) => (isPosition ? joint.high : joint.velocityLimit));
  const names = joints.map(({ name }) => name);
  const units = joints.map(() => (isPosition ? "rad" : "rad/s"));
  if (halfOpenM === undefined) return { kind, names, units, limits: { low, high } };
  return {
    kind,
    names: [...names, "gripper"],
    units: [...units, "1"],
    limits: { low: [...low, 0], high: [...high, 1] },
    gripper: joints.length,
  };
}

/** An arm of the same shape whose actions are joint positions or speeds; its id ends in the mode. */
export function jointControlled<Body extends Embodiment>(body: Body, control: JointControl, mode: JointMode): Body {
  return {
    ...body,
    id: `${body.id}-${mode}`,
    space: jointSpace(control, mode),
    attach: (simulation: Simulation, variant: string) =>
      new JointEffector(body.attach(simulation, variant), control, mode),
  };
}

class JointEffector implements Effector {
  /** The same arm led by its tool: starts, state, and what actions of the tool come to. */
  private readonly tool: Effector;
  private readonly control: JointControl;
  private readonly mode: JointMode;
  private joints: Float64Array = new Float64Array(0);

  constructor(tool: Effector, control: JointControl, mode: JointMode) {
    this.tool = tool;
    this.control = control;
    this.mode = mode;
  }

  place(tip: readonly number[]): Float64Array {
    const controls = this.tool.place(tip);
    this.joints = controls.slice(0, this.control.chain.joints.length);
    return controls;
  }

  command(action: ArrayLike<number>): Float64Array {
    const { chain, rateHz, halfOpenM } = this.control;
    const wanted = this.joints.map((joint, index) =>
      this.mode === "joint-position" ? action[index]! : joint + action[index]! / rateHz,
    );
    this.joints = limitJointSpeed(chain, this.joints, clipToLimits(chain, wanted), 1 / rateHz);
    if (halfOpenM === undefined) return this.joints.slice();
    const gap = action[chain.joints.length]! * halfOpenM;
    return Float64Array.of(...this.joints, gap, gap);
  }

  fromTool(action: ArrayLike<number>): Float32Array {
    const { rateHz, halfOpenM } = this.control;
    const controls = this.tool.command(action);
    const joints = this.joints.map((joint, index) =>
      this.mode === "joint-position" ? controls[index]! : (controls[index]! - joint) * rateHz,
    );
    return Float32Array.of(...joints, ...(halfOpenM === undefined ? [] : [controls[joints.length]! / halfOpenM]));
  }

  logged(): readonly number[] {
    return this.tool.logged();
  }

  state(): Float32Array {
    return this.tool.state();
  }

  memory(): readonly number[] {
    return [...this.joints, ...this.tool.memory()];
  }

  remember(memory: readonly number[]): void {
    const count = this.control.chain.joints.length;
    this.joints = Float64Array.from(memory.slice(0, count));
    this.tool.remember(memory.slice(count));
  }
}
