/**
 * @file The scripted expert: goes above the thing, down, closes, lifts, carries, lowers, lets go and backs off. It sees the
 * true poses and starts over whenever the thing is not where it ought to be. Speed, noise and heights vary from episode to
 * episode so that data are not all alike.
 */
import type { Vector3 } from "#core/geometry/quaternion.ts";
import { sineCosine } from "#core/geometry/trigonometry.ts";
import { createRng, type Rng } from "#core/rng.ts";
import type { Expert, ExpertOptions, TableTruth } from "../suite.ts";
import type { PickGoal, PickTruth } from "./goal.ts";
import { carryHeight, chooseGrip, difference, distance, nearest, planar, putDown, rightAngle, yawOf } from "./grasp.ts";
import { drawerTravelM, findThing, handleM } from "./things.ts";

/** Natural variation of one episode. */
type Style = {
  /** Longest move per control step, metres. */
  readonly stepM: number;
  readonly noiseM: number;
  /** How far above things the gripper travels. */
  readonly clearM: number;
  /** Where on the thing it grips, off its centre. */
  readonly offM: Vector3;
};

const drawStyle = (rng: Rng): Style => ({
  stepM: rng.uniform(0.03, 0.042),
  noiseM: rng.uniform(0.0003, 0.0012),
  clearM: rng.uniform(0.06, 0.08),
  offM: [rng.uniform(-0.004, 0.004), rng.uniform(-0.004, 0.004), rng.uniform(-0.002, 0.004)],
});

type Phase = "above" | "down" | "close" | "lift" | "carry" | "lower" | "open" | "away";

/** Where the tool goes in a phase. */
type Aim = { readonly to: Vector3; readonly yaw: number /** In [0, 1]. */; readonly opening: number };

/** One way of working: which phase follows (`waited` counts control steps in the present one), and what is done in it. */
type Routine = {
  readonly next: Readonly<Record<Phase, (truth: PickTruth, waited: number) => Phase>>;
  aim(phase: Phase, truth: PickTruth): Aim;
};

/** The lowest that the tip goes, metres. */
const lowestM = 0.017;

/** Makes the expert for one episode; `seed` decides its style and noise. */
export function createPickExpert(goal: PickGoal, seed: number | string, { mistakes = 0 }: ExpertOptions = {}): Expert {
  const rng = createRng(`expert/${seed}`);
  const style = drawStyle(rng.fork("style"));
  const noise = rng.fork("noise");
  const slips = rng.fork("mistakes");
  const slip = slips.next() < mistakes ? slips.pick([-1, 1]) * slips.uniform(1, 1.2) : 0;
  const isDrawer = goal.kind === "open-drawer" || goal.kind === "close-drawer";
  const routine = isDrawer ? drawerRoutine(goal, style) : thingRoutine(goal, style, slip);
  let phase: Phase = "above";
  let waited = 0;

  return {
    act(seen: TableTruth) {
      const truth = seen as PickTruth;
      const next = routine.next[phase](truth, waited);
      waited = next === phase ? waited + 1 : 1;
      phase = next;
      return action(truth, routine.aim(phase, truth));
    },
  };

  function action({ tool }: PickTruth, { to, yaw, opening }: Aim): Float32Array {
    const way = difference(to, tool.position);
    const length = distance(to, tool.position);
    const share = length > style.stepM ? style.stepM / length : 1;
    const turn = nearest(yaw, Math.PI, yawOf(tool)) - yawOf(tool);
    const shaken = (axis: 0 | 1 | 2) => share * way[axis] + style.noiseM * noise.normal();
    return Float32Array.of(shaken(0), shaken(1), shaken(2), 0, 0, 0.7 * turn, opening);
  }
}

const isTurned = ({ tool }: PickTruth, yaw: number) => Math.abs(nearest(yaw - yawOf(tool), Math.PI, 0)) < 0.12;
const over = ([x, y, z]: Vector3, height: number): Vector3 => [x, y, z + height];

/**
 * Picks the subject up and puts it down where the goal wants it.
 *
 * @param firstSlip the first grasp closes so far beside the thing that it misses it (1: just so); 0: it does not
 */
function thingRoutine(goal: PickGoal, { clearM, offM }: Style, firstSlip: number): Routine {
  // Across the way in which the jaws close, so that none comes down on the thing.
  let slipM = firstSlip * (findThing(goal.subject).radiusM + 0.02);
  let grip = 0;
  const graspOf = ({ things }: PickTruth): Vector3 => {
    const [x, y, z] = things[goal.subject]!.position;
    const [sin, cos] = sineCosine(grip);
    return [x + offM[0] - slipM * sin, y + offM[1] + slipM * cos, Math.max(lowestM, z + offM[2])];
  };
  const subject = ({ things }: PickTruth) => things[goal.subject]!.position;
  const isHeld = (truth: PickTruth) => truth.opening > 0.04 && distance(subject(truth), truth.tool.position) < 0.035;

  return {
    next: {
      above: (truth) => {
        grip = chooseGrip(goal, truth);
        return planar(truth.tool.position, graspOf(truth)) < 0.01 && isTurned(truth, grip) ? "down" : "above";
      },
      down: (truth, waited) => {
        const [at, grasp] = [truth.tool.position, graspOf(truth)];
        // A jaw stands on something.
        if (waited > 6) slipM = 0;
        if (waited > 6 || planar(at, grasp) > 0.02) return "above";
        return at[2] < grasp[2] + 0.006 ? "close" : "down";
      },
      close: (_, waited) => (waited >= 3 ? "lift" : "close"),
      lift: (truth, waited) => {
        if (waited >= 2 && !isHeld(truth)) {
          // Whatever went wrong the first time does not go wrong again.
          slipM = 0;
          return "above";
        }
        return truth.tool.position[2] > carryHeight(goal, truth, clearM) - 0.012 ? "carry" : "lift";
      },
      carry: (truth) => {
        if (!isHeld(truth)) return "above";
        return planar(putDown(goal, truth), subject(truth)) < 0.007 ? "lower" : "carry";
      },
      lower: (truth) => {
        if (!isHeld(truth)) return "above";
        return putDown(goal, truth)[2] > subject(truth)[2] - 0.004 ? "open" : "lower";
      },
      open: (_, waited) => (waited >= 2 ? "away" : "open"),
      // Time to see whether it stays; if not, it is done again.
      away: (_, waited) => (waited >= 6 ? "above" : "away"),
    },
    aim(phase, truth) {
      const at = truth.tool.position;
      const grasp = graspOf(truth);
      const way = difference(putDown(goal, truth), subject(truth));
      const carried: Vector3 = [at[0] + way[0], at[1] + way[1], carryHeight(goal, truth, clearM)];
      const aims: Readonly<Record<Phase, Vector3>> = {
        // From far away over whatever stands between.
        above: planar(at, grasp) > 0.05 ? [grasp[0], grasp[1], Math.max(grasp[2] + clearM, 0.11)] : over(grasp, clearM),
        down: grasp,
        close: at,
        lift: [at[0], at[1], carried[2]],
        carry: carried,
        lower: [carried[0], carried[1], at[2] + way[2]],
        open: at,
        away: [at[0], at[1], Math.max(at[2], subject(truth)[2] + 0.1)],
      };
      const isOpen = phase === "above" || phase === "down" || phase === "open" || phase === "away";
      return { to: aims[phase], yaw: grip, opening: isOpen ? 1 : 0 };
    },
  };
}

/** Farther open, the jaws would not fit between the handle and the drawer's front. */
const besideHandle = 0.4;

/** Grips the handle from above and pulls or pushes. */
function drawerRoutine(goal: PickGoal, { offM }: Style): Routine {
  const pull = goal.kind === "open-drawer" ? -0.03 : 0.03;
  const handleOf = ({ things, drawerM }: PickTruth): Vector3 => {
    const [x, y, z] = things[goal.subject]!.position;
    return [x + offM[0], y + handleM.y - drawerM, z + handleM.z + 0.004];
  };
  const isDone = ({ drawerM }: PickTruth) =>
    goal.kind === "open-drawer" ? drawerM > drawerTravelM - 0.012 : drawerM < 0.006;
  const away = (truth: PickTruth, waited: number): Phase => (waited >= 5 && !isDone(truth) ? "above" : "away");
  return {
    next: {
      above: (truth) =>
        planar(truth.tool.position, handleOf(truth)) < 0.006 && isTurned(truth, rightAngle) ? "down" : "above",
      down: (truth) => (truth.tool.position[2] < handleOf(truth)[2] + 0.006 ? "close" : "down"),
      close: (_, waited) => (waited >= 3 ? "carry" : "close"),
      carry: (truth) => {
        if (isDone(truth)) return "open";
        return Math.abs(truth.tool.position[1] - handleOf(truth)[1]) > 0.025 ? "away" : "carry";
      },
      open: (_, waited) => (waited >= 2 ? "away" : "open"),
      away,
      lift: away,
      lower: away,
    },
    aim(phase, truth) {
      const at = truth.tool.position;
      const handle = handleOf(truth);
      const aims: Readonly<Partial<Record<Phase, Vector3>>> = {
        above: over(handle, 0.06),
        down: handle,
        carry: [handle[0], at[1] + pull, at[2]],
        away: [at[0], at[1], handle[2] + 0.06],
      };
      const isOpen = phase !== "close" && phase !== "carry";
      return { to: aims[phase] ?? at, yaw: rightAngle, opening: isOpen ? besideHandle : 0 };
    },
  };
}
