import { PCFShadowMap, PerspectiveCamera, WebGLRenderer } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import type { FrameTime } from "../episode/poses.ts";
import type { Content, Layer } from "./content.ts";
import { fitView } from "./extent.ts";

/** @file The 3-D pane: one renderer, one orbit camera, and the content of the episode that is shown. */

export type SceneView = {
  /** @param keepsView whether the way the user looks at it stays (episodes of one suite share their table) */
  show(content: Content | null, keepsView: boolean): void;
  readonly content: Content | null;
  /** A scene camera's name, or `null` for the free camera. */
  lookFrom(camera: string | null): void;
  setLayer(layer: Layer, isShown: boolean): void;
  update(at: FrameTime): void;
  /** What the named scene cameras see is drawn into these canvases too, without the layers. */
  setPictures(pictures: ReadonlyMap<string, HTMLCanvasElement>): void;
  /** Draws when something changed since the last call. */
  draw(): void;
  /** Makes the free cameras of two views one. */
  follow(other: SceneView): void;
  readonly controls: OrbitControls;
};

function createRenderer(container: HTMLElement, label: string): WebGLRenderer {
  const renderer = new WebGLRenderer({ antialias: true });
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = PCFShadowMap;
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  renderer.domElement.setAttribute("role", "img");
  renderer.domElement.setAttribute("aria-label", label);
  container.prepend(renderer.domElement);
  return renderer;
}

function createControls(camera: PerspectiveCamera, canvas: HTMLCanvasElement): OrbitControls {
  camera.up.set(0, 0, 1);
  const controls = new OrbitControls(camera, canvas);
  controls.maxPolarAngle = Math.PI * 0.495;
  controls.minDistance = 0.1;
  controls.maxDistance = 8;
  return controls;
}

function copyView(from: OrbitControls, to: OrbitControls): void {
  const isSame =
    to.object.position.distanceToSquared(from.object.position) < 1e-12 &&
    to.target.distanceToSquared(from.target) < 1e-12;
  if (isSame) return;
  to.object.position.copy(from.object.position);
  to.target.copy(from.target);
  to.update();
}

/**
 * Draws one scene camera's picture in a corner of the renderer's own canvas and copies it from there: a second WebGL
 * context would need every geometry and texture twice.
 */
function drawPicture(
  renderer: WebGLRenderer,
  content: Content,
  camera: PerspectiveCamera,
  to: HTMLCanvasElement,
): void {
  const from = renderer.domElement;
  const width = Math.min(to.width, from.width);
  const height = Math.min(to.height, from.height);
  const ratio = renderer.getPixelRatio();
  renderer.setViewport(0, 0, width / ratio, height / ratio);
  renderer.setScissor(0, 0, width / ratio, height / ratio);
  renderer.setScissorTest(true);
  renderer.render(content.stage.scene, camera);
  renderer.setScissorTest(false);
  renderer.setViewport(0, 0, from.width / ratio, from.height / ratio);
  const top = from.height - height;
  to.getContext("2d")?.drawImage(from, 0, top, width, height, 0, 0, to.width, to.height);
}

/**
 * Starts a 3-D pane inside `container` and keeps its size.
 *
 * @throws Error when the browser gives no WebGL
 */
export function createSceneView(container: HTMLElement, label: string): SceneView {
  const renderer = createRenderer(container, label);
  const free = new PerspectiveCamera(38, 1, 0.01, 60);
  const fixed = new PerspectiveCamera(45, 1, 0.01, 60);
  const controls = createControls(free, renderer.domElement);
  const hidden = new Set<Layer>();
  let pictures: ReadonlyMap<string, HTMLCanvasElement> = new Map();
  let content: Content | null = null;
  let through: string | null = null;
  let isDirty = true;
  /** Until the user takes hold of it, the free camera keeps the whole scene in view. */
  let isFitted = true;
  controls.addEventListener("start", () => {
    isFitted = false;
  });
  controls.addEventListener("change", () => {
    isDirty = true;
  });
  const fit = () => {
    if (!content || !isFitted) return;
    const { extent, outlook } = content;
    const up = Math.tan((free.fov * Math.PI) / 360) * extent.fill;
    const { aim, distance } = fitView(extent, outlook, [up * free.aspect, up]);
    controls.target.copy(aim);
    free.position.copy(aim).addScaledVector(outlook, distance);
    controls.update();
  };

  const resize = () => {
    const { clientWidth: width, clientHeight: height } = container;
    if (width === 0 || height === 0) return;
    renderer.setSize(width, height, false);
    free.aspect = width / height;
    free.updateProjectionMatrix();
    fit();
    isDirty = true;
  };
  new ResizeObserver(resize).observe(container);

  /** Switches between looking around and what a scene camera sees; a picture never shows the layers. */
  const dress = (shown: Content, isOwn: boolean, isPicture: boolean) => {
    shown.stage.setSurroundings(isOwn ? shown.background : null);
    shown.stage.setGrid(!hidden.has("grid"));
    shown.setGround(isOwn);
    for (const [layer, object] of shown.layers) object.visible = !isPicture && !hidden.has(layer);
  };
  const aim = (shown: Content, name: string, aspect: number) => {
    shown.lookThrough(name, fixed);
    fixed.aspect = aspect;
    fixed.updateProjectionMatrix();
  };
  const drawPictures = (shown: Content) => {
    if (pictures.size === 0) return;
    dress(shown, true, true);
    for (const [name, canvas] of pictures) {
      aim(shown, name, canvas.width / canvas.height);
      drawPicture(renderer, shown, fixed, canvas);
    }
  };

  resize();
  return {
    controls,
    get content() {
      return content;
    },
    show(next, keepsView) {
      content?.dispose();
      content = next;
      if (!keepsView) {
        isFitted = true;
        fit();
      }
      if (!content?.cameras.includes(through ?? "")) this.lookFrom(null);
      content?.pose({ frame: 0, fraction: 0 });
      isDirty = true;
    },
    lookFrom(camera) {
      through = camera;
      controls.enabled = camera === null;
      isDirty = true;
    },
    setLayer(layer, isShown) {
      if (isShown) hidden.delete(layer);
      else hidden.add(layer);
      isDirty = true;
    },
    update(at) {
      content?.pose(at);
      isDirty = true;
    },
    setPictures(next) {
      pictures = next;
      isDirty = true;
    },
    draw() {
      if (!isDirty) return;
      isDirty = false;
      if (!content) return renderer.clear();
      drawPictures(content);
      dress(content, through !== null, false);
      if (through !== null) aim(content, through, free.aspect);
      renderer.render(content.stage.scene, through === null ? free : fixed);
    },
    follow(other) {
      other.controls.addEventListener("change", () => copyView(other.controls, controls));
      controls.addEventListener("change", () => copyView(controls, other.controls));
      copyView(other.controls, controls);
    },
  };
}
