import {
  AmbientLight,
  BufferGeometry,
  CircleGeometry,
  Color,
  DirectionalLight,
  Float32BufferAttribute,
  Fog,
  Group,
  HemisphereLight,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshStandardMaterial,
  Scene,
  Vector3,
} from "three";
import type { Light } from "#world/scene/scene.ts";
import type { Extent } from "./extent.ts";

/** @file What stands around the scene's own geoms: backdrop, floor, grid and lights. */

/** The page's own dark; the floor fades into it. */
export const backdrop = new Color(0x10141a);

/** three's diffuse term divides by pi, the scene's intensities do not: intensity 1 means "as bright as the colour". */
const perSteradian = Math.PI;

export type Stage = {
  readonly scene: Scene;
  /** Floor, grid and dark backdrop for looking around; or the scene's own background, as its cameras see it. */
  setSurroundings(own: Color | null): void;
  setGrid(isShown: boolean): void;
  dispose(): void;
};

function sun(light: Light, { centre, radius }: Extent): DirectionalLight {
  const reach = 1.1 * radius;
  const lamp = new DirectionalLight(0xffffff, light.intensity * perSteradian);
  lamp.position.copy(centre).addScaledVector(new Vector3(...light.direction).normalize(), -2 * reach);
  lamp.target.position.copy(centre);
  lamp.castShadow = light.castsShadow;
  lamp.shadow.mapSize.set(2048, 2048);
  Object.assign(lamp.shadow.camera, {
    left: -reach,
    right: reach,
    top: reach,
    bottom: -reach,
    near: 0.01,
    far: 5 * reach,
  });
  lamp.shadow.normalBias = 0.006 * reach;
  lamp.shadow.bias = -0.0002;
  lamp.shadow.radius = 3;
  return lamp;
}

const gridCells = 40;
const gridCellM = 0.1;

/** A square of lines, piece by piece: drivers that cut long lines off behind the camera would lose them whole. */
function makeGrid(): LineSegments<BufferGeometry, LineBasicMaterial> {
  const points: number[] = [];
  const colors: number[] = [];
  const [quiet, middle] = [new Color(0x364252), new Color(0x55657a)];
  const place = (index: number) => (index - gridCells / 2) * gridCellM;
  for (let line = 0; line <= gridCells; line++) {
    const color = line === gridCells / 2 ? middle : quiet;
    for (let piece = 0; piece < gridCells; piece++) {
      const [at, from, to] = [place(line), place(piece), place(piece + 1)];
      points.push(at, from, 0, at, to, 0, from, at, 0, to, at, 0);
      for (let end = 0; end < 4; end++) colors.push(...color.toArray());
    }
  }
  const geometry = new BufferGeometry()
    .setAttribute("position", new Float32BufferAttribute(points, 3))
    .setAttribute("color", new Float32BufferAttribute(colors, 3));
  return new LineSegments(geometry, new LineBasicMaterial({ vertexColors: true, transparent: true, opacity: 0.7 }));
}

/** Makes an empty stage lit like the given scene. @param ambient hemisphere intensity in [0, 1] */
export function createStage(lights: readonly Light[], ambient: number, extent: Extent): Stage {
  const scene = new Scene();
  const surroundings = new Group();
  const reach = Math.max(extent.radius * 14, 4);
  const floor = new Mesh(new CircleGeometry(reach, 64), new MeshStandardMaterial({ color: 0x161c25, roughness: 1 }));
  floor.position.set(extent.centre.x, extent.centre.y, extent.floor - 0.004);
  const grid = makeGrid();
  grid.position.set(Math.round(extent.centre.x * 10) / 10, Math.round(extent.centre.y * 10) / 10, extent.floor - 0.002);
  surroundings.add(floor, grid);
  scene.add(surroundings, new HemisphereLight(0xffffff, 0xc8c8c8, ambient * perSteradian));
  for (const light of lights) {
    const lamp = sun(light, extent);
    scene.add(lamp, lamp.target);
  }
  if (lights.length === 0) scene.add(new AmbientLight(0xffffff, perSteradian * 0.6));
  const fog = new Fog(backdrop, reach * 0.35, reach * 0.95);
  return {
    scene,
    setSurroundings(own) {
      surroundings.visible = own === null;
      scene.background = own ?? backdrop;
      scene.fog = own === null ? fog : null;
    },
    setGrid: (isShown) => {
      grid.visible = isShown;
    },
    dispose() {
      floor.geometry.dispose();
      floor.material.dispose();
      grid.geometry.dispose();
      grid.material.dispose();
      scene.traverse((object) => object instanceof DirectionalLight && object.dispose());
    },
  };
}
