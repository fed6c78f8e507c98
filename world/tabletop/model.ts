import type { Embodiment } from "../embodiments/embodiment.ts";
import { type Attributes, element } from "../physics/xml.ts";
import type { Dynamics } from "./initial.ts";
import { tableHalfM } from "./workspace.ts";

/**
 * Who touches whom: things touch the table, each other and the effector; the effector touches nothing else, so a tip that
 * brushes the table costs no contacts.
 */
const table = { contype: 1, conaffinity: 2 };
const thing = { contype: 2, conaffinity: 7 };
const effector = { contype: 4, conaffinity: 2 };

/** What a suite puts on the table, as MJCF; geoms of class `thing` can be touched, of class `visual` only seen. */
export type Scenery = { readonly assets: string; readonly bodies: string };

export type SuitePhysics = {
  /** Control rate. */
  readonly rateHz: number;
  readonly timestepS: number;
  /** Attributes of MJCF's `option`. */
  readonly options: Attributes;
  /** Attributes of the effector's geoms: how they grip. */
  readonly effector: Attributes;
};

export type TabletopModel = {
  readonly embodiment: Embodiment;
  readonly variant: string;
  readonly scenery: Scenery;
  readonly physics: SuitePhysics;
  readonly fovyDeg: number;
  readonly dynamics: Dynamics;
};

/**
 * The tabletop as MJCF: a plane under the suite's scenery, one embodiment, and the camera `front` on a mocap rig (index
 * 0), which is where pose randomisation and camera shake go in.
 */
export function tabletopModel({ embodiment, variant, scenery, physics, fovyDeg, dynamics }: TabletopModel): string {
  const parts = embodiment.model(variant);
  const friction = [0.5 * dynamics.friction, 0.005, 0.0001];
  return element(
    "mujoco",
    { model: `tabletop ${embodiment.id} ${variant}` },
    element("compiler", { angle: "radian", autolimits: true }),
    element("size", { memory: "1M" }),
    element("option", { timestep: physics.timestepS, ...physics.options }, element("flag", { sleep: "enable" })),
    element(
      "default",
      {},
      element(
        "default",
        { class: "thing" },
        element("geom", { ...thing, condim: 3, mass: 0.1 * dynamics.mass, friction }),
      ),
      element(
        "default",
        { class: "effector" },
        element("geom", { ...effector, mass: 0, priority: 1, ...physics.effector }),
      ),
      element("default", { class: "visual" }, element("geom", { contype: 0, conaffinity: 0, mass: 0 })),
    ),
    element("asset", {}, scenery.assets),
    element(
      "worldbody",
      {},
      element("geom", {
        name: "surface",
        type: "plane",
        size: [1, 1, 0.1],
        rgba: [0, 0, 0, 0],
        ...table,
        friction,
      }),
      element("geom", {
        name: "table",
        class: "visual",
        type: "box",
        size: [tableHalfM, tableHalfM, 0.02],
        pos: [0, 0, -0.02],
      }),
      element("geom", { name: "floor", class: "visual", type: "plane", size: [3, 3, 0.1], pos: [0, 0, -0.6] }),
      element("body", { name: "rig", mocap: true }, element("camera", { name: "front", fovy: fovyDeg })),
      parts.bodies,
      scenery.bodies,
    ),
    element("contact", {}, parts.exclusions ?? ""),
    element("equality", {}, parts.equalities ?? ""),
    element("actuator", {}, parts.actuators),
  );
}
