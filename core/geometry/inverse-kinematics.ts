import { solveSymmetric } from "../linear-algebra/solve-symmetric.ts";
import { clipToLimits, type KinematicChain, type Pose, tipJacobian } from "./kinematics.ts";
import { cross, rotate, rotationVectorBetween, type Vector3 } from "./quaternion.ts";
import { arcTangent2 } from "./trigonometry.ts";

/** Which part of the target's orientation counts: all of it, only where the tool points (its +Z), or nothing. */
export type OrientationGoal = "full" | "direction" | "none";

export type InverseOptions = {
  /** Default "full". */
  readonly orientation?: OrientationGoal;
  /** Most steps; default 100. A target near the start takes three to five. */
  readonly iterations?: number;
  /** Solved when both errors are below these; default 1e-5 m and 1e-4 rad. */
  readonly toleranceM?: number;
  readonly toleranceRad?: number;
};

export type InverseSolution = {
  /** f64[N] within the joints' limits: the best found, also when it is not a solution. */
  readonly positions: Float64Array;
  readonly isSolved: boolean;
  readonly errorM: number;
  readonly errorRad: number;
};

/** An orientation error of one radian weighs as much as a position error of so many metres. */
const metresPerRad = 0.25;
/** Damping that is left at the solution, relative to squared metres: keeps steps small where a joint has no effect. */
const leastDamping = 1e-8;
/** Longest step of one joint, radians or metres. */
const longestStep = 0.5;

/**
 * Finds joint positions near `start` that put the tip at `target`: damped least squares,
 * `Δq = (JᵀJ + λI)⁻¹ Jᵀe` with `λ = k|e|² + ε` (Sugihara 2011), where k grows while steps fail. A joint that a step would
 * push over its limit stops at it, and the rest is solved again without it. Local: it may end in a minimum that is not a
 * solution when the start is far away.
 *
 * @param start f64[N], clipped to the limits
 */
export function inverseKinematics(
  chain: KinematicChain,
  target: Pose,
  start: ArrayLike<number>,
  options: InverseOptions = {},
): InverseSolution {
  const { orientation = "full", iterations = 100, toleranceM = 1e-5, toleranceRad = 1e-4 } = options;
  let positions = clipToLimits(chain, start);
  let task = taskAt(chain, positions, target, orientation);
  const isSolved = () => task.errorM <= toleranceM && task.errorRad <= toleranceRad;
  let stiffness = 0.5;
  for (let iteration = 0; iteration < iterations && !isSolved(); iteration++) {
    const moved = limitedStep(chain, positions, task, stiffness * task.squared + leastDamping);
    const next = taskAt(chain, moved, target, orientation);
    if (next.squared < task.squared) {
      positions = moved;
      task = next;
      stiffness = Math.max(stiffness / 4, 1e-3);
    } else if (stiffness < 1e6) {
      stiffness *= 8;
    } else break;
  }
  return { positions, isSolved: isSolved(), errorM: task.errorM, errorRad: task.errorRad };
}

/** The linearised task: error e f64[6] in metres and its Jacobian f64[6, N]. */
type Task = {
  readonly error: Float64Array;
  readonly jacobian: Float64Array;
  readonly squared: number;
  readonly errorM: number;
  readonly errorRad: number;
};

function taskAt(chain: KinematicChain, positions: Float64Array, target: Pose, orientation: OrientationGoal): Task {
  const { tip, jacobian } = tipJacobian(chain, positions);
  const count = chain.joints.length;
  const turn = orientationError(tip, target, orientation);
  const pointing = rotate(tip.quaternion, [0, 0, 1]);
  for (let column = 0; column < count; column++) {
    const at = (row: number) => (3 + row) * count + column;
    // Turning about the tool's own axis is free when only its direction counts.
    const about =
      orientation === "direction"
        ? jacobian[at(0)]! * pointing[0] + jacobian[at(1)]! * pointing[1] + jacobian[at(2)]! * pointing[2]
        : 0;
    for (let row = 0; row < 3; row++) {
      const counted = orientation === "none" ? 0 : jacobian[at(row)]! - about * pointing[row]!;
      jacobian[at(row)] = metresPerRad * counted;
    }
  }
  const error = Float64Array.of(
    target.position[0] - tip.position[0],
    target.position[1] - tip.position[1],
    target.position[2] - tip.position[2],
    metresPerRad * turn[0],
    metresPerRad * turn[1],
    metresPerRad * turn[2],
  );
  const positionSquared = error[0]! ** 2 + error[1]! ** 2 + error[2]! ** 2;
  const turnSquared = turn[0] ** 2 + turn[1] ** 2 + turn[2] ** 2;
  return {
    error,
    jacobian,
    squared: positionSquared + metresPerRad ** 2 * turnSquared,
    errorM: Math.sqrt(positionSquared),
    errorRad: Math.sqrt(turnSquared),
  };
}

/** Rotation vector in the world that turns the tip as asked. */
function orientationError(tip: Pose, target: Pose, orientation: OrientationGoal): Vector3 {
  if (orientation === "none") return [0, 0, 0];
  if (orientation === "full") return rotationVectorBetween(tip.quaternion, target.quaternion);
  const from = rotate(tip.quaternion, [0, 0, 1]);
  const to = rotate(target.quaternion, [0, 0, 1]);
  const across = cross(from, to);
  const sine = Math.sqrt(across[0] ** 2 + across[1] ** 2 + across[2] ** 2);
  const cosine = from[0] * to[0] + from[1] * to[1] + from[2] * to[2];
  // Straight away from the target every axis is as good: the tool's own X.
  if (sine < 1e-9) return cosine > 0 ? [0, 0, 0] : scaled(rotate(tip.quaternion, [1, 0, 0]), Math.PI);
  return scaled(across, arcTangent2(sine, cosine) / sine);
}

const scaled = ([x, y, z]: Vector3, factor: number): Vector3 => [x * factor, y * factor, z * factor];

/** One damped step from `positions` that ends within the limits. */
function limitedStep(chain: KinematicChain, positions: Float64Array, task: Task, damping: number): Float64Array {
  const { joints } = chain;
  const moved = positions.slice();
  const isFixed = joints.map(() => false);
  for (let pass = 0; pass <= joints.length; pass++) {
    const change = dampedStep(task, positions, moved, isFixed, damping);
    const over = joints.map(({ low, high }, index) => {
      const to = positions[index]! + change[index]!;
      return !isFixed[index] && (to < low || to > high);
    });
    const isDone = !over.includes(true);
    for (const [index, { low, high }] of joints.entries()) {
      if (isFixed[index] || (!isDone && !over[index])) continue;
      moved[index] = Math.min(high, Math.max(low, positions[index]! + change[index]!));
      if (over[index]) isFixed[index] = true;
    }
    if (isDone) break;
  }
  return moved;
}

/** Solves for the free joints, given where the fixed ones went. @returns changes f64[N], 0 for fixed joints */
function dampedStep(
  { error, jacobian }: Task,
  positions: Float64Array,
  moved: Float64Array,
  isFixed: readonly boolean[],
  damping: number,
): Float64Array {
  const count = positions.length;
  const free = [...positions.keys()].filter((index) => !isFixed[index]);
  const left = error.slice();
  for (let row = 0; row < 6; row++) {
    for (let joint = 0; joint < count; joint++) {
      if (!isFixed[joint]) continue;
      left[row] = left[row]! - jacobian[row * count + joint]! * (moved[joint]! - positions[joint]!);
    }
  }
  const size = free.length;
  const gram = new Float64Array(size * size);
  const pull = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let sum = i === j ? damping : 0;
      for (let row = 0; row < 6; row++) sum += jacobian[row * count + free[i]!]! * jacobian[row * count + free[j]!]!;
      gram[i * size + j] = sum;
    }
    for (let row = 0; row < 6; row++) pull[i] = pull[i]! + jacobian[row * count + free[i]!]! * left[row]!;
  }
  const solution = solveSymmetric(gram, pull, size, 1);
  const change = new Float64Array(count);
  let longest = longestStep;
  for (let i = 0; i < size; i++) longest = Math.max(longest, Math.abs(solution[i]!));
  for (let i = 0; i < size; i++) change[free[i]!] = (solution[i]! * longestStep) / longest;
  return change;
}
