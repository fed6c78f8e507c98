import { Color, Group, Mesh, MeshBasicMaterial, SphereGeometry, Vector3 } from "three";
import { Line2 } from "three/addons/lines/Line2.js";
import { LineGeometry } from "three/addons/lines/LineGeometry.js";
import { LineMaterial } from "three/addons/lines/LineMaterial.js";
import type { FrameTime } from "./poses.ts";

/** Pieces drawn per control tick, so that the line's end keeps up with an interpolated effector. */
const piecesPerFrame = 4;

export type PathLine = {
  readonly object: Group;
  /** Shows the path up to this instant. */
  update(at: FrameTime): void;
  setSize(width: number, height: number): void;
  dispose(): void;
};

function densify(positions: Float32Array): { points: number[]; colors: number[] } {
  const frames = positions.length / 3;
  const points: number[] = [];
  const colors: number[] = [];
  const [early, late] = [new Color(0x3d5a8c), new Color(0x8fd3ff)];
  const [from, to] = [new Vector3(), new Vector3()];
  for (let piece = 0; piece <= (frames - 1) * piecesPerFrame; piece++) {
    const frame = Math.floor(piece / piecesPerFrame);
    from.fromArray(positions, frame * 3);
    to.fromArray(positions, Math.min(frame + 1, frames - 1) * 3);
    from.lerp(to, (piece % piecesPerFrame) / piecesPerFrame).toArray(points, points.length);
    early
      .clone()
      .lerp(late, piece / Math.max((frames - 1) * piecesPerFrame, 1))
      .toArray(colors, colors.length);
  }
  return { points, colors };
}

/**
 * The way an effector went: a line from dark (early) to light (late), with a bead at its end where asked for.
 *
 * @param positions f32[T, 3] metres
 * @param beadM radius of the bead, 0 for none
 */
export function createPathLine(positions: Float32Array, beadM = 0): PathLine {
  const object = new Group();
  const frames = positions.length / 3;
  const geometry = new LineGeometry();
  const material = new LineMaterial({
    linewidth: 2.5,
    vertexColors: true,
    transparent: true,
    opacity: 0.9,
    depthTest: false,
  });
  const bead = new Mesh(new SphereGeometry(beadM || 1, 20, 14), new MeshBasicMaterial({ color: 0xbfe6ff }));
  const hasLine = frames > 1;
  if (hasLine) {
    const { points, colors } = densify(positions);
    geometry.setPositions(points).setColors(colors);
    const line = new Line2(geometry, material);
    line.frustumCulled = false;
    line.renderOrder = 2;
    object.add(line);
  }
  if (beadM > 0 && frames > 0) object.add(bead);
  const [from, to] = [new Vector3(), new Vector3()];
  return {
    object,
    update({ frame, fraction }) {
      if (hasLine) geometry.instanceCount = Math.floor((Math.min(frame, frames - 1) + fraction) * piecesPerFrame);
      from.fromArray(positions, Math.min(frame, frames - 1) * 3);
      to.fromArray(positions, Math.min(frame + 1, frames - 1) * 3);
      bead.position.copy(from.lerp(to, fraction));
    },
    setSize: (width, height) => void material.resolution.set(width, height),
    dispose() {
      geometry.dispose();
      material.dispose();
      bead.geometry.dispose();
      bead.material.dispose();
    },
  };
}
