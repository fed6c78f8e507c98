import type { Color, Object3D, PerspectiveCamera, Vector3 } from "three";
import type { FrameTime } from "../episode/poses.ts";
import type { Extent } from "./extent.ts";
import type { Stage } from "./stage.ts";

/** What is drawn besides the scene itself, each to be switched off on its own. */
export type Layer = "past" | "ahead" | "predicted" | "action" | "grid";

/** What a 3-D pane shows now; made anew for every episode. */
export type Content = {
  readonly stage: Stage;
  readonly extent: Extent;
  /** Layers that this content has something for, and what each shows; the grid belongs to the stage. */
  readonly layers: ReadonlyMap<Layer, Object3D>;
  /** Scene cameras by name. */
  readonly cameras: readonly string[];
  /** Direction from which the free camera looks first. */
  readonly outlook: Vector3;
  readonly background: Color;
  /** Whether the scene's own ground is seen. */
  setGround(isShown: boolean): void;
  pose(at: FrameTime): void;
  /** Puts a camera where the named scene camera stands at the posed instant. */
  lookThrough(name: string, camera: PerspectiveCamera): void;
  dispose(): void;
};
