import type { Embodiment } from "../embodiments/embodiment.ts";
import { element } from "../physics/xml.ts";
import { type BlockKind, blockAssets, blockBody } from "./blocks.ts";
import { tableHalfM, timestepS } from "./workspace.ts";

/**
 * Who touches whom: blocks touch the table, each other and the effector; the effector touches nothing else, so a tip that
 * brushes the table costs no contacts.
 */
const table = { contype: 1, conaffinity: 2 };
const block = { contype: 2, conaffinity: 7 };
const effector = { contype: 4, conaffinity: 2 };

/**
 * The tabletop as MJCF: a plane under free blocks, one embodiment, and the camera `front` on a mocap rig (index 0), which
 * is where pose randomisation and camera shake go in.
 */
export function tabletopModel(
  embodiment: Embodiment,
  variant: string,
  blocks: readonly BlockKind[],
  fovyDeg: number,
): string {
  const parts = embodiment.model(variant);
  return element(
    "mujoco",
    { model: `tabletop ${embodiment.id} ${variant}` },
    element("compiler", { angle: "radian", autolimits: true }),
    element("size", { memory: "1M" }),
    element(
      "option",
      { timestep: timestepS, integrator: "implicitfast", cone: "pyramidal", iterations: 30, ls_iterations: 20 },
      element("flag", { sleep: "enable" }),
    ),
    element(
      "default",
      {},
      element(
        "default",
        { class: "block" },
        element("geom", { ...block, condim: 3, mass: 0.1, friction: [0.5, 0.005, 0.0001] }),
      ),
      element(
        "default",
        { class: "effector" },
        element("geom", { ...effector, condim: 3, mass: 0, priority: 1, friction: [0.2, 0.005, 0.0001] }),
      ),
      element("default", { class: "visual" }, element("geom", { contype: 0, conaffinity: 0, mass: 0 })),
    ),
    element("asset", {}, blockAssets()),
    element(
      "worldbody",
      {},
      element("geom", {
        name: "surface",
        type: "plane",
        size: [1, 1, 0.1],
        rgba: [0, 0, 0, 0],
        ...table,
        friction: [0.5, 0.005, 0.0001],
      }),
      element("geom", {
        name: "table",
        class: "visual",
        type: "box",
        size: [tableHalfM, tableHalfM, 0.02],
        pos: [0, 0, -0.02],
      }),
      element("geom", {
        name: "floor",
        class: "visual",
        type: "plane",
        size: [3, 3, 0.1],
        pos: [0, 0, -0.6],
      }),
      element("body", { name: "rig", mocap: true }, element("camera", { name: "front", fovy: fovyDeg })),
      parts.bodies,
      ...blocks.map(blockBody),
    ),
    element("contact", {}, parts.exclusions ?? ""),
    element("actuator", {}, parts.actuators),
  );
}
