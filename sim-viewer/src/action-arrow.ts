import { ConeGeometry, CylinderGeometry, Group, Mesh, MeshBasicMaterial, Vector3 } from "three";
import { type AxisColumns, largestMove } from "./signals.ts";

/** Length of the episode's largest move as it is drawn, metres; the others keep their ratio to it. */
const longestM = 0.16;
const up = new Vector3(0, 1, 0);

export type ActionArrow = {
  readonly object: Group;
  /** Points from `origin` along the action of this frame; hidden when the action is (nearly) nothing. */
  update(frame: number, origin: Vector3): void;
  dispose(): void;
};

/**
 * The commanded move of the current frame, drawn at the effector.
 *
 * @param actions f32[T, width]
 */
export function createActionArrow(actions: Float32Array, width: number, axes: AxisColumns): ActionArrow {
  const object = new Group();
  const material = new MeshBasicMaterial({ color: 0xffb454, transparent: true, opacity: 0.95, depthTest: false });
  const shaft = new Mesh(new CylinderGeometry(0.0035, 0.0035, 1, 14).translate(0, 0.5, 0), material);
  const head = new Mesh(new ConeGeometry(0.011, 0.028, 20).translate(0, 0.014, 0), material);
  object.add(shaft, head);
  shaft.renderOrder = head.renderOrder = 3;
  const largest = largestMove(actions, width, axes);
  const move = new Vector3();
  return {
    object,
    update(frame, origin) {
      const row = Math.min(frame, actions.length / width - 1) * width;
      const [x, y, z] = axes.map((column) => (column < 0 ? 0 : actions[row + column]!)) as [number, number, number];
      move.set(x, y, z);
      const length = largest > 0 ? (move.length() / largest) * longestM : 0;
      object.visible = length > 0.006;
      if (!object.visible) return;
      object.position.copy(origin);
      object.quaternion.setFromUnitVectors(up, move.normalize());
      shaft.scale.set(1, Math.max(length - 0.02, 0.001), 1);
      head.position.y = Math.max(length - 0.028, 0);
    },
    dispose() {
      shaft.geometry.dispose();
      head.geometry.dispose();
      material.dispose();
    },
  };
}
