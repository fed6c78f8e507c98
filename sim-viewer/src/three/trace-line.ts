import { Color, type InterleavedBufferAttribute } from "three";
import { Line2 } from "three/addons/lines/Line2.js";
import { LineGeometry } from "three/addons/lines/LineGeometry.js";
import { LineMaterial } from "three/addons/lines/LineMaterial.js";

/** A line of even width on the screen whose points change with every frame; never hidden by what stands before it. */
export type TraceLine = {
  readonly object: Line2;
  /** @param points f32[count, 3] metres; at most the capacity that it was made with */
  set(points: Float32Array, count: number): void;
  dispose(): void;
};

/**
 * Makes an empty line.
 *
 * @param colors sRGB of its first and last point; those between blend
 */
export function createTraceLine(capacity: number, widthPx: number, colors: readonly [number, number]): TraceLine {
  const geometry = new LineGeometry();
  geometry.setPositions(new Float32Array(3 * Math.max(capacity, 2)));
  geometry.setColors(new Float32Array(3 * Math.max(capacity, 2)));
  geometry.instanceCount = 0;
  const material = new LineMaterial({ linewidth: widthPx, vertexColors: true, transparent: true, depthTest: false });
  const object = new Line2(geometry, material);
  object.frustumCulled = false;
  object.renderOrder = 2;
  const buffer = (name: string) => (geometry.getAttribute(name) as InterleavedBufferAttribute).data;
  const [from, to, mixed] = [new Color(colors[0]), new Color(colors[1]), new Color()];
  return {
    object,
    set(points, count) {
      const positions = buffer("instanceStart");
      const shades = buffer("instanceColorStart");
      // Each piece holds both its ends: six numbers.
      for (let piece = 0; piece + 1 < count; piece++) {
        positions.array.set(points.subarray(3 * piece, 3 * piece + 6), 6 * piece);
        mixed.lerpColors(from, to, piece / (count - 1)).toArray(shades.array as Float32Array, 6 * piece);
        mixed.lerpColors(from, to, (piece + 1) / (count - 1)).toArray(shades.array as Float32Array, 6 * piece + 3);
      }
      positions.needsUpdate = true;
      shades.needsUpdate = true;
      geometry.instanceCount = Math.max(count - 1, 0);
    },
    dispose() {
      geometry.dispose();
      material.dispose();
    },
  };
}
