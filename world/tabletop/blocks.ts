import { ConfigError } from "#core/errors.ts";
import { element } from "../physics/xml.ts";
import type { Material } from "../scene/scene.ts";
import type { Scenery } from "./model.ts";
import { blockHalfHeightM } from "./workspace.ts";

type BlockShape = "cylinder" | "cube" | "pentagon" | "triangle";
type BlockColour = "red" | "blue" | "green" | "yellow";

export type BlockKind = { readonly id: string; readonly colour: BlockColour; readonly shape: BlockShape };

const kind = (colour: BlockColour, shape: BlockShape): BlockKind => ({ id: `${colour}-${shape}`, colour, shape });

/** The eight blocks; suites with four use the first four, whose colours and shapes are all different. */
export const blockKinds: readonly BlockKind[] = [
  kind("red", "cylinder"),
  kind("blue", "cube"),
  kind("green", "pentagon"),
  kind("yellow", "triangle"),
  kind("red", "triangle"),
  kind("blue", "pentagon"),
  kind("green", "cube"),
  kind("yellow", "cylinder"),
];

const blockRgb: Readonly<Record<BlockColour, readonly [number, number, number]>> = {
  red: [0.86, 0.1, 0.1],
  blue: [0.12, 0.3, 0.9],
  green: [0.1, 0.62, 0.2],
  yellow: [0.98, 0.82, 0.08],
};

export function blockMaterials(kinds: readonly BlockKind[]): Record<string, Material> {
  return Object.fromEntries(kinds.map(({ id, colour }) => [id, { rgba: [...blockRgb[colour], 1] as const }]));
}

/** Unit polygons, corner by corner, written out so that no machine's sine decides where a block's corner is. */
const polygons: Readonly<Record<"pentagon" | "triangle", readonly (readonly [number, number])[]>> = {
  triangle: [
    [0, 1],
    [-0.8660254, -0.5],
    [0.8660254, -0.5],
  ],
  pentagon: [
    [0, 1],
    [-0.9510565, 0.309017],
    [-0.5877853, -0.809017],
    [0.5877853, -0.809017],
    [0.9510565, 0.309017],
  ],
};
const circumradiusM = { triangle: 0.042, pentagon: 0.037 };

/** The prisms as meshes (MuJoCo makes their convex hulls). */
function blockAssets(): string {
  return Object.entries(polygons)
    .map(([name, corners]) => {
      const radius = circumradiusM[name as keyof typeof circumradiusM];
      const vertex = [-blockHalfHeightM, blockHalfHeightM].flatMap((z) =>
        corners.flatMap(([x, y]) => [x * radius, y * radius, z]),
      );
      return element("mesh", { name, vertex });
    })
    .join("");
}

/** One free block at the origin; its pose is set on reset. */
function blockBody({ id, shape }: BlockKind): string {
  const outline = {
    cylinder: { type: "cylinder", size: [0.033, blockHalfHeightM] },
    cube: { type: "box", size: [0.03, 0.03, blockHalfHeightM] },
    pentagon: { type: "mesh", mesh: "pentagon" },
    triangle: { type: "mesh", mesh: "triangle" },
  }[shape];
  return element(
    "body",
    { name: id, pos: [0, 0, blockHalfHeightM] },
    element("freejoint", { name: id }),
    element("geom", { name: id, class: "thing", ...outline }),
  );
}

/** The named blocks as scenery. @throws ConfigError when one is not known */
export function blockScenery(ids: readonly string[]): Scenery {
  return { assets: blockAssets(), bodies: ids.map((id) => blockBody(findBlock(id))).join("") };
}

function findBlock(id: string): BlockKind {
  const found = blockKinds.find((candidate) => candidate.id === id);
  if (found) return found;
  const known = blockKinds.map((candidate) => candidate.id).join(", ");
  throw new ConfigError(`instance: blocks must be known, got "${id}". Use ${known}.`);
}
