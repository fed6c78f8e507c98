import {
  Color,
  type Object3D,
  PCFShadowMap,
  PerspectiveCamera,
  Quaternion,
  SRGBColorSpace,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import type { RolloutLog } from "#world/scene/rollout-log.ts";
import type { Geom } from "#world/scene/scene.ts";
import { type ActionArrow, createActionArrow } from "./action-arrow.ts";
import { createPathLine, type PathLine } from "./path-line.ts";
import { type FrameTime, poseSize, positionsOf, samplePoses } from "./poses.ts";
import { buildMeshes } from "./scene-meshes.ts";
import { findEffector, findMove } from "./signals.ts";
import { createStage, type Extent, type Stage } from "./stage.ts";

/** @file The 3-D pane: one renderer, one orbit camera, and the content of the episode that is shown. */

export type Layer = "path" | "action" | "grid";

/** What is shown now; made anew for every episode. */
type Content = {
  readonly stage: Stage;
  readonly extent: Extent;
  readonly objects: readonly { object: Object3D; dispose(): void }[];
  readonly path: PathLine | null;
  readonly arrow: ActionArrow | null;
  /** Scene cameras by name. */
  readonly cameras: readonly string[];
  /** Direction from which the free camera looks first. */
  readonly outlook: Vector3;
  pose(at: FrameTime): void;
  /** Puts a camera where the named scene camera stands at the posed instant. */
  lookThrough(name: string, camera: PerspectiveCamera): void;
  readonly background: Color;
};

export type SceneView = {
  showRollout(log: RolloutLog): void;
  showPath(positions: Float32Array): void;
  clear(): void;
  cameras(): readonly string[];
  /** A scene camera's name, or `null` for the free camera. */
  lookFrom(camera: string | null): void;
  setLayer(layer: Layer, isShown: boolean): void;
  update(at: FrameTime): void;
  /** Draws when something changed since the last call. */
  draw(): void;
  /** Makes the free cameras of two views one. */
  follow(other: SceneView): void;
  readonly controls: OrbitControls;
};

function extentOf(positions: Float32Array, floor: number, smallest: number): Extent {
  const [low, high] = [new Vector3(Infinity, Infinity, Infinity), new Vector3(-Infinity, -Infinity, -Infinity)];
  const point = new Vector3();
  for (let offset = 0; offset < positions.length; offset += 3) {
    point.fromArray(positions, offset);
    low.min(point);
    high.max(point);
  }
  if (low.x > high.x) return { centre: new Vector3(), radius: smallest, reach: 1, floor: 0 };
  const centre = low.clone().add(high).multiplyScalar(0.5);
  const radius = Math.max(low.distanceTo(high) / 2, smallest);
  return { centre, radius, reach: radius * 1.9, floor: Math.min(floor, low.z) };
}

/** From the side of the given camera, but never flatter than 25 or steeper than 55 degrees. */
function outlookFrom(position: Vector3, centre: Vector3): Vector3 {
  const direction = position.clone().sub(centre);
  const flat = Math.hypot(direction.x, direction.y);
  const azimuth = flat > 0.05 * direction.length() ? Math.atan2(direction.y, direction.x) : -Math.PI / 2;
  const elevation = Math.min(Math.max(Math.atan2(direction.z, flat), 0.44), 0.96);
  return new Vector3(
    Math.cos(azimuth) * Math.cos(elevation),
    Math.sin(azimuth) * Math.cos(elevation),
    Math.sin(elevation),
  );
}

function rolloutExtent(log: RolloutLog): Extent {
  const { geoms } = log.scene;
  let floor = Infinity;
  let reach = 0;
  const points: number[] = [];
  const position = (index: number) => log.geomPoses.subarray(index * poseSize, index * poseSize + 3);
  geoms.forEach((geom, index) => {
    const [x, y, z] = position(index) as unknown as [number, number, number];
    floor = Math.min(floor, geom.type === "plane" ? z : z - halfHeight(geom));
    if (geom.body !== 0) points.push(x, y, z);
    else if (geom.type !== "plane") reach = Math.max(reach, Math.hypot(...geom.size));
  });
  const extent = extentOf(Float32Array.from(points), floor, 0.25);
  return { ...extent, reach: Math.max(extent.radius * 1.9, Math.min(reach * 1.3, extent.radius * 5)) };
}

/** Half of how far a geom that stands upright reaches along Z. */
function halfHeight({ type, size: [a = 0, b = 0, c = 0] }: Geom): number {
  return { plane: 0, sphere: a, capsule: a + b, cylinder: b, box: c, mesh: 0 }[type];
}

/**
 * The scene's ground: its lowest plane, when something else of the world (a table) stands above it. Looking around, the
 * page's own dark floor takes its place; the scene's cameras see the real one.
 */
function findGround(log: RolloutLog, floor: number): number {
  const { geoms } = log.scene;
  const hasTable = geoms.some((geom) => geom.body === 0 && geom.type !== "plane");
  if (!hasTable) return -1;
  return geoms.findIndex((geom, index) => geom.type === "plane" && log.geomPoses[index * poseSize + 2]! <= floor + 1e-6);
}

/** f32[T, 3]: the effector's lower end when it is a rod that moves in the plane, else its centre. */
function effectorPath(log: RolloutLog, effector: number, isPlanar: boolean): Float32Array {
  const positions = positionsOf(log.geomPoses, log.scene.geoms.length, effector);
  const geom = log.scene.geoms[effector]!;
  const drop = isPlanar ? halfHeight(geom) : 0;
  for (let offset = 2; offset < positions.length; offset += 3) positions[offset] = positions[offset]! - drop;
  return positions;
}

function rolloutContent(log: RolloutLog): Content {
  const { scene } = log;
  const extent = rolloutExtent(log);
  const stage = createStage(scene.lights, scene.ambient, extent);
  const meshes = buildMeshes(scene);
  stage.scene.add(...meshes);
  const effector = findEffector(scene);
  const axes = findMove(log.actionNames);
  const path = effector < 0 ? null : createPathLine(positionsOf(log.geomPoses, scene.geoms.length, effector));
  const arrow = effector < 0 || !axes ? null : createActionArrow(log.actions, log.actionNames.length, axes);
  if (path) stage.scene.add(path.object);
  if (arrow) stage.scene.add(arrow.object);
  const geomPoses = new Float32Array(scene.geoms.length * poseSize);
  const cameraPoses = new Float32Array(scene.cameras.length * poseSize);
  const [position, rotation, one] = [new Vector3(), new Quaternion(), new Vector3(1, 1, 1)];
  const first =
    log.cameraPoses.length >= poseSize ? new Vector3().fromArray(log.cameraPoses) : new Vector3(0.3, -1, 0.8);
  return {
    stage,
    extent,
    path,
    arrow,
    objects: meshes.map((mesh) => ({
      object: mesh,
      dispose() {
        mesh.geometry.dispose();
        mesh.material.map?.dispose();
        mesh.material.dispose();
      },
    })),
    cameras: scene.cameras.map(({ name }) => name),
    outlook: outlookFrom(first, extent.centre),
    background: new Color().setRGB(...(scene.background as [number, number, number]), SRGBColorSpace),
    pose(at) {
      samplePoses(log.geomPoses, scene.geoms.length, at, geomPoses);
      samplePoses(log.cameraPoses, scene.cameras.length, at, cameraPoses);
      meshes.forEach((mesh, index) => {
        position.fromArray(geomPoses, index * poseSize);
        mesh.matrix.compose(position, rotation.fromArray(geomPoses, index * poseSize + 3), one);
        mesh.matrixWorldNeedsUpdate = true;
      });
      path?.update(at);
      if (effector >= 0) arrow?.update(at.frame, position.fromArray(geomPoses, effector * poseSize));
    },
    lookThrough(name, camera) {
      const index = scene.cameras.findIndex((entry) => entry.name === name);
      if (index < 0) return;
      camera.position.fromArray(cameraPoses, index * poseSize);
      camera.quaternion.fromArray(cameraPoses, index * poseSize + 3);
      camera.fov = scene.cameras[index]!.fovyDeg;
    },
  };
}

function pathContent(positions: Float32Array): Content {
  const extent = extentOf(positions, 0, 0.15);
  const stage = createStage([], 0.4, extent);
  const path = createPathLine(positions, extent.radius * 0.035);
  stage.scene.add(path.object);
  return {
    stage,
    extent,
    path,
    arrow: null,
    objects: [],
    cameras: [],
    outlook: outlookFrom(new Vector3(0.8, -1, 0.9), new Vector3()),
    background: new Color(0x10141a),
    pose: (at) => path.update(at),
    lookThrough() {},
  };
}

function disposeContent(content: Content): void {
  for (const { dispose } of content.objects) dispose();
  content.path?.dispose();
  content.arrow?.dispose();
  content.stage.dispose();
}

/**
 * Starts a 3-D pane inside `container` and keeps its size.
 *
 * @throws Error when the browser gives no WebGL
 */
export function createSceneView(container: HTMLElement, label: string): SceneView {
  const renderer = new WebGLRenderer({ antialias: true });
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = PCFShadowMap;
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  const canvas = renderer.domElement;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  container.prepend(canvas);
  const free = new PerspectiveCamera(38, 1, 0.01, 60);
  free.up.set(0, 0, 1);
  const fixed = new PerspectiveCamera(45, 1, 0.01, 60);
  const controls = new OrbitControls(free, canvas);
  controls.maxPolarAngle = Math.PI * 0.495;
  controls.minDistance = 0.1;
  controls.maxDistance = 8;
  const layers: Record<Layer, boolean> = { path: true, action: true, grid: true };
  let content: Content | null = null;
  let through: string | null = null;
  let isDirty = true;
  controls.addEventListener("change", () => {
    isDirty = true;
  });

  const resize = () => {
    const { clientWidth: width, clientHeight: height } = container;
    if (width === 0 || height === 0) return;
    renderer.setSize(width, height, false);
    for (const camera of [free, fixed]) {
      camera.aspect = width / height;
      camera.updateProjectionMatrix();
    }
    content?.path?.setSize(width, height);
    isDirty = true;
  };
  new ResizeObserver(resize).observe(container);

  const applyLayers = () => {
    if (content?.path) content.path.object.visible = layers.path;
    if (content?.arrow && !layers.action) content.arrow.object.visible = false;
    content?.stage.setGrid(layers.grid);
    isDirty = true;
  };
  let last: FrameTime = { frame: 0, fraction: 0 };
  const show = (next: Content | null, keepsView: boolean) => {
    if (content) disposeContent(content);
    content = next;
    if (content && !keepsView) {
      const { centre, radius } = content.extent;
      controls.target.copy(centre);
      free.position.copy(centre).addScaledVector(content.outlook, Math.max(radius * 3.4, 0.5));
      controls.update();
    }
    view.lookFrom(content?.cameras.includes(through ?? "") ? through : null);
    last = { frame: 0, fraction: 0 };
    resize();
    view.update(last);
  };

  let shownInstance = "";
  const view: SceneView = {
    controls,
    showRollout(log) {
      // Episodes of one suite share their table: the way the user looks at it stays.
      const isSame = shownInstance === log.instance.suite && content !== null;
      shownInstance = log.instance.suite;
      show(rolloutContent(log), isSame);
    },
    showPath(positions) {
      shownInstance = "";
      show(pathContent(positions), false);
    },
    clear() {
      shownInstance = "";
      show(null, false);
    },
    cameras: () => content?.cameras ?? [],
    lookFrom(camera) {
      through = camera;
      controls.enabled = camera === null;
      content?.stage.setSurroundings(camera === null ? null : content.background);
      isDirty = true;
    },
    setLayer(layer, isShown) {
      layers[layer] = isShown;
      this.update(last);
    },
    update(at) {
      last = at;
      content?.pose(at);
      applyLayers();
    },
    draw() {
      if (!isDirty) return;
      isDirty = false;
      if (!content) return renderer.clear();
      if (through !== null) {
        content.lookThrough(through, fixed);
        fixed.updateProjectionMatrix();
      }
      renderer.render(content.stage.scene, through === null ? free : fixed);
    },
    follow(other) {
      const copy = (from: OrbitControls, to: OrbitControls) => {
        if (
          to.object.position.distanceToSquared(from.object.position) < 1e-12 &&
          to.target.distanceToSquared(from.target) < 1e-12
        )
          return;
        to.object.position.copy(from.object.position);
        to.target.copy(from.target);
        to.update();
      };
      other.controls.addEventListener("change", () => copy(other.controls, controls));
      controls.addEventListener("change", () => copy(controls, other.controls));
      copy(other.controls, controls);
    },
  };
  resize();
  return view;
}
