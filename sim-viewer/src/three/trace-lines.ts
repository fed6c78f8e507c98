import { Group, Mesh, MeshBasicMaterial, type Object3D, SphereGeometry } from "three";
import type { FrameTime } from "../episode/poses.ts";
import { traceColors } from "../episode/trace-colors.ts";
import { aheadS, pathBetween, positionAt, type Traces } from "../episode/traces.ts";
import type { Layer } from "./content.ts";
import { createTraceLine, type TraceLine } from "./trace-line.ts";

export type TraceLines = {
  readonly layers: ReadonlyMap<Layer, Object3D>;
  update(at: FrameTime): void;
  dispose(): void;
};

const startOfEpisode: FrameTime = { frame: 0, fraction: 0 };

/**
 * The lines of an episode's traces.
 *
 * @param beadM radius of a bead at the effector, metres; 0 where the scene itself shows one
 */
export function createTraceLines(traces: Traces, beadM: number): TraceLines {
  const { positions, rateHz } = traces;
  const frames = positions.length / 3;
  const lines = new Map<Layer, TraceLine>([
    ["past", createTraceLine(frames + 2, 2.5, traceColors.past)],
    ["ahead", createTraceLine(frames + 2, 3, traceColors.ahead)],
  ]);
  if (traces.hasPredictions) {
    const longest = (traces.predicted(Number.POSITIVE_INFINITY)?.length ?? 3) / 3;
    lines.set("predicted", createTraceLine(longest, 3.5, traceColors.predicted));
  }
  const bead = new Mesh(new SphereGeometry(beadM || 1, 20, 14), new MeshBasicMaterial({ color: 0xbfe6ff }));
  const layers = new Map<Layer, Object3D>([...lines].map(([layer, line]) => [layer, new Group().add(line.object)]));
  if (beadM > 0) layers.get("past")!.add(bead);
  const points = new Float32Array(3 * (frames + 2));
  const place = new Float32Array(3);
  return {
    layers,
    update(at) {
      const end = { frame: at.frame + Math.round(aheadS * rateHz), fraction: at.fraction };
      lines.get("past")!.set(points, pathBetween(positions, startOfEpisode, at, points));
      lines.get("ahead")!.set(points, pathBetween(positions, at, end, points));
      const predicted = traces.predicted(at.frame);
      lines.get("predicted")?.set(predicted ?? points, predicted ? predicted.length / 3 : 0);
      positionAt(positions, at, place);
      bead.position.fromArray(place);
    },
    dispose() {
      for (const line of lines.values()) line.dispose();
      bead.geometry.dispose();
      bead.material.dispose();
    },
  };
}
