import type { MjData, MjModel } from "./mujoco.ts";

/** MuJoCo's mjtSleepState. */
const sleepState = { static: -1, asleep: 0, awake: 1 } as const;

/**
 * Sets which kinematic trees sleep, and every array that MuJoCo derives from it: what its own `mj_updateSleep` does, which
 * the WebAssembly build does not offer. Without it MuJoCo sees the two disagree and wakes everything.
 *
 * @param asleep i32[ntree]: negative for trees that are awake, else the next tree of those that sleep together
 */
export function setAsleep(model: MjModel, data: MjData, asleep: ArrayLike<number>): void {
  const treeOfBody = model.body_treeid as Int32Array;
  const parents = model.body_parentid as Int32Array;
  const roots = model.body_rootid as Int32Array;
  const mocaps = model.body_mocapid as Int32Array;
  const bodyOfDof = model.dof_bodyid as Int32Array;
  (data.tree_asleep as Int32Array).set(asleep);
  const treeAwake = data.tree_awake as Int32Array;
  for (let tree = 0; tree < asleep.length; tree++) treeAwake[tree] = asleep[tree]! < 0 ? 1 : 0;
  data.ntree_awake = treeAwake.reduce((sum, awake) => sum + awake, 0);

  const bodyAwake = data.body_awake as Int32Array;
  const bodies = data.body_awake_ind as Int32Array;
  const children = data.parent_awake_ind as Int32Array;
  let [bodyCount, childCount] = [0, 0];
  for (let body = 0; body < bodyAwake.length; body++) {
    const tree = treeOfBody[body]!;
    if (tree >= 0) bodyAwake[body] = treeAwake[tree] === 1 ? sleepState.awake : sleepState.asleep;
    else bodyAwake[body] = mocaps[roots[body]!]! >= 0 ? sleepState.awake : sleepState.static;
    if (bodyAwake[body] !== sleepState.asleep) bodies[bodyCount++] = body;
    if (body > 0 && bodyAwake[parents[body]!] !== sleepState.asleep) children[childCount++] = body;
  }
  data.nbody_awake = bodyCount;
  data.nparent_awake = childCount;

  const dofs = data.dof_awake_ind as Int32Array;
  let dofCount = 0;
  for (let dof = 0; dof < bodyOfDof.length; dof++) {
    const body = bodyOfDof[dof]!;
    if (treeOfBody[body]! >= 0 && bodyAwake[body] === sleepState.awake) dofs[dofCount++] = dof;
  }
  data.nv_awake = dofCount;
}
