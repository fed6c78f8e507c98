/**
 * @file What the tabletop looks like: table, light, bodies and camera, drawn from a seed at three levels: `none` is one
 * fixed look; with `low` shades, light and grain vary; with `high` other materials and colours come too. Robots stand in
 * a lab (cool, plain table); hands are filmed in homes (wood and cloth, warmer light, skin and sleeves, a camera that is
 * held a little lower and trembles): the gap between the two is the point of learning from video.
 */
import { lookAt, unit, type Vector3 } from "#core/geometry/quaternion.ts";
import type { Rng } from "#core/rng.ts";
import type { Embodiment, Paint, Setting } from "../embodiments/embodiment.ts";
import type { Looks } from "../physics/read-scene.ts";
import type { Light, Material, Texture } from "../scene/scene.ts";
import type { InitialCamera } from "./initial.ts";

/** How much something varies: not at all, a little, or as much as it may. */
export const levels = ["none", "low", "high"] as const;
export type Level = (typeof levels)[number];

type Rgb = readonly [number, number, number];

const robotTables: readonly Rgb[] = [
  [0.74, 0.76, 0.78],
  [0.6, 0.62, 0.66],
  [0.86, 0.85, 0.82],
  [0.5, 0.47, 0.45],
  [0.7, 0.62, 0.52],
];
const homeTables: readonly { readonly kind: Texture["kind"]; readonly rgb: Rgb }[] = [
  { kind: "wood", rgb: [0.62, 0.43, 0.27] },
  { kind: "wood", rgb: [0.5, 0.33, 0.2] },
  { kind: "wood", rgb: [0.76, 0.6, 0.42] },
  { kind: "cloth", rgb: [0.8, 0.76, 0.68] },
  { kind: "cloth", rgb: [0.55, 0.56, 0.6] },
  { kind: "noise", rgb: [0.68, 0.66, 0.63] },
];
const skins: readonly Rgb[] = [
  [0.96, 0.8, 0.69],
  [0.9, 0.7, 0.56],
  [0.78, 0.57, 0.42],
  [0.62, 0.43, 0.3],
  [0.45, 0.3, 0.21],
  [0.33, 0.22, 0.16],
];
const sleeves: readonly Rgb[] = [
  [0.22, 0.24, 0.3],
  [0.85, 0.85, 0.86],
  [0.35, 0.42, 0.5],
  [0.5, 0.36, 0.42],
  [0.3, 0.36, 0.3],
  [0.15, 0.15, 0.16],
];

/** Shells and joints of arms. */
const armColours: readonly (readonly [Rgb, Rgb])[] = [
  [
    [0.2, 0.21, 0.23],
    [0.1, 0.1, 0.11],
  ],
  [
    [0.88, 0.89, 0.9],
    [0.35, 0.37, 0.4],
  ],
  [
    [0.95, 0.62, 0.15],
    [0.16, 0.16, 0.18],
  ],
  [
    [0.55, 0.6, 0.68],
    [0.2, 0.22, 0.26],
  ],
];

const opaque = (rgb: Rgb, texture?: Texture): Material => ({ rgba: [...rgb, 1], ...(texture ? { texture } : {}) });

const shaded = (rgb: Rgb, factor: number): Rgb => [
  Math.min(1, rgb[0] * factor),
  Math.min(1, rgb[1] * factor),
  Math.min(1, rgb[2] * factor),
];

/** Draws from [-spread, spread] at the given level: nothing, a third, all of it. */
const spreadAt: Readonly<Record<Level, number>> = { none: 0, low: 0.35, high: 1 };

function tableMaterial(setting: Setting, level: Level, rng: Rng): Material {
  const shade = 1 + spreadAt[level] * rng.uniform(-0.15, 0.15);
  const choices = { none: 1, low: 3, high: Number.POSITIVE_INFINITY }[level];
  const seed = level === "none" ? 1 : rng.integer(1 << 16);
  if (setting === "home") {
    const { kind, rgb } = homeTables[rng.integer(Math.min(choices, homeTables.length))]!;
    return opaque(shaded(rgb, shade), { kind, rgb: shaded(rgb, shade * 0.72), repeat: rng.uniform(3, 6), seed });
  }
  const rgb = shaded(robotTables[rng.integer(level === "high" ? robotTables.length : 1)]!, shade);
  return opaque(rgb, { kind: "noise", rgb: shaded(rgb, 0.9), repeat: 8, seed });
}

function sun(setting: Setting, level: Level, rng: Rng): Light {
  const spread = spreadAt[level];
  const from: Vector3 = setting === "home" ? [-0.55, -0.25, 1] : [0.35, -0.3, 1];
  const direction = unit([
    -from[0] + spread * rng.uniform(-0.5, 0.5),
    -from[1] + spread * rng.uniform(-0.5, 0.5),
    -from[2],
  ]);
  return { direction, intensity: 0.75 + spread * rng.uniform(-0.15, 0.15), castsShadow: true };
}

/** At level `high` every other episode has a lamp from any side besides the sun. */
function lamps(level: Level, rng: Rng): readonly Light[] {
  if (level !== "high" || rng.next() < 0.5) return [];
  const direction = unit([rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(-1.2, -0.5)]);
  return [{ direction, intensity: rng.uniform(0.1, 0.3), castsShadow: true }];
}

/** Materials of the embodiment's own geoms. */
function bodyMaterials({ paint }: Embodiment, level: Level, rng: Rng): Record<string, Material> {
  const fabric = level === "none" ? sleeves[0]! : rng.pick(sleeves);
  const [shell, joint] = level === "high" ? rng.pick(armColours) : armColours[0]!;
  const materials: Readonly<Record<Paint, Material>> = {
    skin: opaque(level === "none" ? skins[1]! : rng.pick(skins)),
    sleeve: opaque(fabric, { kind: "cloth", rgb: shaded(fabric, 0.8), repeat: 30, seed: rng.integer(1 << 16) }),
    shell: opaque(shell),
    joint: opaque(joint),
    tool: opaque([0.13, 0.13, 0.15]),
    mark: opaque([0.95, 0.95, 0.95]),
  };
  return Object.fromEntries(
    Object.entries(paint).flatMap(([kind, names]) => names.map((name) => [name, materials[kind as Paint]] as const)),
  );
}

/** Draws the looks of one episode. @param things materials of what stands on the table */
export function drawLooks(
  embodiment: Embodiment,
  things: Readonly<Record<string, Material>>,
  level: Level,
  rng: Rng,
): Looks {
  const { setting } = embodiment;
  const home = setting === "home";
  const floor: Rgb = home ? [0.36, 0.31, 0.28] : [0.28, 0.3, 0.33];
  return {
    materials: {
      ...things,
      ...bodyMaterials(embodiment, level, rng.fork("body")),
      table: tableMaterial(setting, level, rng.fork("table")),
      floor: opaque(shaded(floor, 1 + spreadAt[level] * rng.fork("floor").uniform(-0.3, 0.3))),
    },
    lights: [sun(setting, level, rng.fork("light")), ...lamps(level, rng.fork("lamp"))],
    ambient: home ? 0.42 : 0.46,
    background: home ? [0.6, 0.56, 0.5] : [0.55, 0.6, 0.66],
  };
}

/** Where the camera `front` is, what it looks at, and how far it may be moved about. */
export type Viewpoint = {
  readonly position: Vector3;
  readonly target: Vector3;
  readonly fovyDeg: number;
  readonly jitterM: number;
};

/** Draws the camera `front`: a fixed one for robots; for people one that is held and trembles. */
export function drawCamera(
  setting: Setting,
  { position, target, fovyDeg, jitterM }: Viewpoint,
  level: Level,
  rng: Rng,
): InitialCamera {
  const spread = spreadAt[level];
  const moved = ([x, y, z]: Vector3, size: number): Vector3 => [
    x + spread * rng.uniform(-size, size),
    y + spread * rng.uniform(-size, size),
    z + spread * rng.uniform(-size, size),
  ];
  const from = moved(position, jitterM);
  return {
    position: from,
    quaternion: lookAt(from, moved(target, 0.4 * jitterM)),
    fovyDeg,
    ...(setting === "home" ? { shake: { positionM: 0.004, angleRad: 0.008, seed: rng.integer(1 << 30) } } : {}),
  };
}
