/**
 * @file What lies on the table of the pick-place suite: things to pick up, places to put them, and a drawer. Lengths in
 * metres; every thing's origin is its centre, its frame upright.
 */
import { ConfigError } from "#core/errors.ts";
import { element } from "../../physics/xml.ts";
import type { Material } from "../../scene/scene.ts";
import type { Scenery } from "../../tabletop/model.ts";

export type ThingKind = {
  readonly id: string;
  /** How instructions call it. */
  readonly noun: string;
  /** What can be done with it. */
  readonly role: "item" | "surface" | "container" | "furniture";
  /** Half its height: where its centre is when it stands on the table. */
  readonly halfHeightM: number;
  /** Radius of the circle that it fills on the table. */
  readonly radiusM: number;
  /**
   * Items: how the jaws must be turned to grip it. "any": a multiple of 90 degrees to its frame; "across": along its
   * frame's Y.
   */
  readonly grip?: "any" | "across";
  readonly massKg: number;
};

const cube = (colour: string): ThingKind => ({
  id: `${colour}-cube`,
  noun: `${colour} block`,
  role: "item",
  halfHeightM: 0.02,
  radiusM: 0.029,
  grip: "any",
  massKg: 0.06,
});

export const thingKinds: readonly ThingKind[] = [
  cube("red"),
  cube("green"),
  cube("blue"),
  cube("yellow"),
  { id: "carrot", noun: "carrot", role: "item", halfHeightM: 0.014, radiusM: 0.042, grip: "across", massKg: 0.05 },
  { id: "eggplant", noun: "eggplant", role: "item", halfHeightM: 0.018, radiusM: 0.045, grip: "across", massKg: 0.06 },
  { id: "plate", noun: "plate", role: "surface", halfHeightM: 0.005, radiusM: 0.07, massKg: 0.3 },
  { id: "towel", noun: "towel", role: "surface", halfHeightM: 0.0015, radiusM: 0.085, massKg: 0.2 },
  { id: "bowl", noun: "bowl", role: "container", halfHeightM: 0.022, radiusM: 0.066, massKg: 0.5 },
  { id: "cabinet", noun: "drawer", role: "furniture", halfHeightM: 0.045, radiusM: 0.13, massKg: 8 },
];

/** @throws ConfigError when there is no such thing */
export function findThing(id: string): ThingKind {
  const found = thingKinds.find((kind) => kind.id === id);
  if (found) return found;
  const known = thingKinds.map((kind) => kind.id).join(", ");
  throw new ConfigError(`instance: things must be known, got "${id}". Use ${known}.`);
}

/** The drawer's joint: 0 is shut; metres. */
export const drawerJoint = "drawer";
export const drawerTravelM = 0.1;
/** The handle's middle in the cabinet's frame when shut; it opens towards -Y. */
export const handleM = { y: -0.104, z: 0.012 } as const;

const bowl = { sides: 12, innerM: 0.052, wallM: 0.005, heightM: 0.044, floorM: 0.004 } as const;
/** Cosines and sines of multiples of 30 degrees, written out: walls stand where they stand on every machine. */
const half = Math.sqrt(3) / 2;
const twelfths: readonly (readonly [number, number])[] = [
  [1, 0],
  [half, 0.5],
  [0.5, half],
  [0, 1],
  [-0.5, half],
  [-half, 0.5],
  [-1, 0],
  [-half, -0.5],
  [-0.5, -half],
  [0, -1],
  [0.5, -half],
  [half, -0.5],
];

const wallNames = twelfths.map((_, index) => `bowl wall ${index}`);

/** Geoms that are seen, by the thing they belong to: what the looks paint. */
const thingGeoms: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(["red", "green", "blue", "yellow"].map((colour) => [`${colour}-cube`, [`${colour}-cube`]])),
  carrot: ["carrot", "carrot tip"],
  eggplant: ["eggplant", "eggplant end"],
  plate: ["plate", "plate well"],
  towel: ["towel"],
  bowl: ["bowl", ...wallNames],
  cabinet: [
    "cabinet top",
    "cabinet left",
    "cabinet right",
    "cabinet back",
    "drawer front",
    "drawer floor",
    "drawer left",
    "drawer right",
    "drawer handle",
  ],
};

type Rgb = readonly [number, number, number];
const opaque = ([red, green, blue]: Rgb): Material => ({ rgba: [red, green, blue, 1] });

const colours: Readonly<Record<string, Rgb>> = {
  "red-cube": [0.86, 0.12, 0.1],
  "green-cube": [0.12, 0.6, 0.22],
  "blue-cube": [0.12, 0.3, 0.88],
  "yellow-cube": [0.97, 0.8, 0.1],
  carrot: [0.95, 0.45, 0.08],
  "carrot tip": [0.2, 0.55, 0.15],
  eggplant: [0.36, 0.12, 0.42],
  "eggplant end": [0.3, 0.5, 0.2],
  plate: [0.93, 0.93, 0.9],
  "plate well": [0.8, 0.85, 0.9],
  towel: [0.55, 0.68, 0.8],
  bowl: [0.85, 0.72, 0.55],
  cabinet: [0.6, 0.45, 0.33],
  "drawer front": [0.7, 0.55, 0.42],
  "drawer handle": [0.25, 0.25, 0.27],
};

/** Materials of the things on the table, by geom. */
export function thingMaterials(ids: readonly string[]): Record<string, Material> {
  const materials: Record<string, Material> = {};
  for (const id of ids) {
    for (const name of thingGeoms[id]!) materials[name] = opaque(colours[name] ?? colours[id]!);
  }
  if (ids.includes("towel")) {
    materials.towel = { ...materials.towel!, texture: { kind: "cloth", rgb: [0.4, 0.52, 0.66], repeat: 12, seed: 3 } };
  }
  return materials;
}

const unseen = { rgba: [0, 0, 0, 0] } as const;
type Size = readonly [number, number, number];

const touchable = (name: string, size: Size, pos: Size, more = {}) =>
  element("geom", { name, class: "thing", type: "box", size, pos, mass: 0, ...more });

function geomsOf(id: string): string {
  switch (id) {
    case "carrot":
      return (
        touchable("carrot hull", [0.034, 0.013, 0.014], [0, 0, 0], unseen) +
        element("geom", {
          name: "carrot",
          class: "visual",
          type: "capsule",
          size: [0.014],
          fromto: [-0.02, 0, 0, 0.022, 0, 0],
        }) +
        element("geom", {
          name: "carrot tip",
          class: "visual",
          type: "capsule",
          size: [0.006],
          fromto: [-0.036, 0, 0.002, -0.043, 0, 0.004],
        })
      );
    case "eggplant":
      return (
        touchable("eggplant hull", [0.036, 0.0165, 0.018], [0, 0, 0], unseen) +
        element("geom", {
          name: "eggplant",
          class: "visual",
          type: "capsule",
          size: [0.018],
          fromto: [-0.017, 0, 0, 0.02, 0, 0],
        }) +
        element("geom", {
          name: "eggplant end",
          class: "visual",
          type: "capsule",
          size: [0.009],
          fromto: [-0.031, 0, 0, -0.038, 0, 0],
        })
      );
    case "plate":
      return (
        element("geom", { name: "plate", class: "thing", type: "cylinder", size: [0.07, 0.005], mass: 0 }) +
        element("geom", {
          name: "plate well",
          class: "visual",
          type: "cylinder",
          size: [0.05, 0.0002],
          pos: [0, 0, 0.0051],
        })
      );
    case "towel":
      return touchable("towel", [0.06, 0.06, 0.0015], [0, 0, 0]);
    case "bowl":
      return bowlGeoms();
    case "cabinet":
      return cabinetGeoms();
    default:
      return touchable(id, [0.02, 0.02, 0.02], [0, 0, 0]);
  }
}

function bowlGeoms(): string {
  const bottom = -bowl.heightM / 2;
  const floor = element("geom", {
    name: "bowl",
    class: "thing",
    type: "cylinder",
    size: [bowl.innerM, bowl.floorM / 2],
    pos: [0, 0, bottom + bowl.floorM / 2],
    mass: 0,
  });
  // Each wall is as long as its side of the twelve-sided ring.
  const halfLength = bowl.innerM * 0.2679492 + bowl.wallM / 2;
  const walls = twelfths.map(([x, y], index) => {
    const middle = bowl.innerM + bowl.wallM / 2;
    return element("geom", {
      name: wallNames[index]!,
      class: "thing",
      type: "box",
      size: [bowl.wallM / 2, halfLength, bowl.heightM / 2],
      pos: [middle * x, middle * y, 0],
      xyaxes: [x, y, 0, -y, x, 0],
      mass: 0,
    });
  });
  return floor + walls.join("");
}

/** A case that is open in front, and the drawer in it. */
function cabinetGeoms(): string {
  const drawer = element(
    "body",
    { name: "drawer" },
    element("inertial", { pos: [0, 0, 0], mass: 0.4, diaginertia: [0.001, 0.001, 0.001] }),
    element("joint", {
      name: drawerJoint,
      type: "slide",
      axis: [0, -1, 0],
      range: [0, drawerTravelM],
      damping: 4,
      frictionloss: 0.6,
    }),
    touchable("drawer front", [0.072, 0.004, 0.036], [0, -0.066, -0.002]),
    touchable("drawer floor", [0.066, 0.056, 0.003], [0, -0.006, -0.034]),
    touchable("drawer left", [0.003, 0.056, 0.02], [-0.064, -0.006, -0.014]),
    touchable("drawer right", [0.003, 0.056, 0.02], [0.064, -0.006, -0.014]),
    touchable("drawer handle", [0.034, 0.005, 0.008], [0, handleM.y, handleM.z]),
    ...[-0.026, 0.026].map((x) =>
      element("geom", {
        name: `drawer post ${x < 0 ? "left" : "right"}`,
        class: "visual",
        type: "box",
        size: [0.004, 0.016, 0.005],
        pos: [x, -0.086, handleM.z],
        rgba: [0.25, 0.25, 0.27, 1],
      }),
    ),
  );
  return (
    touchable("cabinet top", [0.08, 0.065, 0.004], [0, 0, 0.041]) +
    touchable("cabinet left", [0.004, 0.065, 0.041], [-0.076, 0, -0.004]) +
    touchable("cabinet right", [0.004, 0.065, 0.041], [0.076, 0, -0.004]) +
    touchable("cabinet back", [0.072, 0.004, 0.037], [0, 0.061, -0.004]) +
    drawer
  );
}

/** The named things as free bodies. @throws ConfigError when one is not known */
export function thingScenery(ids: readonly string[], massFactor: number): Scenery {
  const bodies = ids.map((id) => {
    const { halfHeightM, radiusM, massKg } = findThing(id);
    const mass = massKg * massFactor;
    // A box that is as wide as the circle and as high as the thing.
    const flat = (mass * (radiusM ** 2 + halfHeightM ** 2)) / 3;
    return element(
      "body",
      { name: id, pos: [0, 0, halfHeightM] },
      element("freejoint", { name: id }),
      element("inertial", { pos: [0, 0, 0], mass, diaginertia: [flat, flat, (mass * radiusM ** 2) / 2] }),
      geomsOf(id),
    );
  });
  return { assets: "", bodies: bodies.join("") };
}
