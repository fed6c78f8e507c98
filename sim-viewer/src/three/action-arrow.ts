import { ConeGeometry, CylinderGeometry, Group, Mesh, MeshBasicMaterial, Vector3 } from "three";
import { traceColors } from "../episode/trace-colors.ts";

/** Shorter than this is no arrow, metres. */
const shortestM = 0.006;
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
 * @param arrowAt the arrow of a frame, metres
 */
export function createActionArrow(arrowAt: (frame: number) => readonly [number, number, number]): ActionArrow {
  const object = new Group();
  const color = traceColors.action[0];
  const material = new MeshBasicMaterial({ color, transparent: true, opacity: 0.95, depthTest: false });
  const shaft = new Mesh(new CylinderGeometry(0.0035, 0.0035, 1, 14).translate(0, 0.5, 0), material);
  const head = new Mesh(new ConeGeometry(0.011, 0.028, 20).translate(0, 0.014, 0), material);
  object.add(shaft, head);
  shaft.renderOrder = head.renderOrder = 3;
  const move = new Vector3();
  return {
    object,
    update(frame, origin) {
      move.set(...arrowAt(frame));
      const length = move.length();
      object.visible = length > shortestM;
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
