import { Color, Vector3 } from "three";
import type { Traces } from "../episode/traces.ts";
import type { Content } from "./content.ts";
import { outlookFrom, pathExtent } from "./extent.ts";
import { backdrop, createStage } from "./stage.ts";
import { createTraceLines } from "./trace-lines.ts";

/** Only the way of an effector, for data sets that name its positions but bring no scene. */
export function pathContent(traces: Traces): Content {
  const extent = pathExtent(traces.positions, 0.15);
  const stage = createStage([], 0.4, extent);
  const lines = createTraceLines(traces, extent.radius * 0.035);
  stage.scene.add(...lines.layers.values());
  return {
    stage,
    extent,
    layers: lines.layers,
    cameras: [],
    outlook: outlookFrom(new Vector3(0.8, -1, 0.9), new Vector3()),
    background: new Color(backdrop),
    setGround() {},
    pose: (at) => lines.update(at),
    lookThrough() {},
    dispose() {
      lines.dispose();
      stage.dispose();
    },
  };
}
