import { Box3, Color, Group, Vector3 } from "three";
import type { JointTrajectory } from "#robot-bridge/protocol/messages.ts";
import { traceColors } from "../episode/trace-colors.ts";
import type { Content } from "../three/content.ts";
import { outlookFrom, pathExtent } from "../three/extent.ts";
import { backdrop, createStage } from "../three/stage.ts";
import { createTraceLine } from "../three/trace-line.ts";
import { createUrdfModel } from "../three/urdf-model.ts";

/** How far back the path is drawn, samples: ten seconds at the rate that joint states are asked for. */
const pastSamples = 500;
/** Points of a command that are drawn. */
const aheadPoints = 64;

const light = { direction: [-0.4, 0.5, -1], intensity: 0.75, castsShadow: true } as const;

/** A robot that moves as it is told: joints now, its tip's way behind it, and where the newest command leads. */
export type LiveContent = Content & {
  readonly missingMeshes: number;
  setJoints(names: readonly string[], positions: Float64Array): void;
  setCommand(command: JointTrajectory | null): void;
};

/** @throws Error when the URDF has no robot in it */
export function createLiveContent(urdf: string): LiveContent {
  const model = createUrdfModel(urdf);
  const { min, max } = new Box3().setFromObject(model.object);
  const extent = pathExtent(Float32Array.of(...min.toArray(), ...max.toArray(), min.x, max.y, min.z), 0.3);
  const stage = createStage([light], 0.5, extent);
  const past = createTraceLine(pastSamples, 2.5, traceColors.past);
  const ahead = createTraceLine(aheadPoints + 1, 3, traceColors.ahead);
  const layers = new Map([
    ["past", new Group().add(past.object)],
    ["ahead", new Group().add(ahead.object)],
  ] as const);
  stage.scene.add(model.object, ...layers.values());
  let shown: { names: readonly string[]; positions: Float64Array } = { names: [], positions: new Float64Array() };
  let way: number[] = [];
  return {
    stage,
    extent,
    layers,
    missingMeshes: model.missingMeshes,
    cameras: [],
    outlook: outlookFrom(new Vector3(0.9, -1, 0.8), new Vector3()),
    background: new Color(backdrop),
    setGround() {},
    setJoints(names, positions) {
      shown = { names, positions };
      model.setJoints(names, positions);
      way = [...way, ...model.tipAt(names, positions).toArray()].slice(-3 * pastSamples);
      past.set(Float32Array.from(way), way.length / 3);
    },
    setCommand(command) {
      const points = command?.points.slice(0, aheadPoints) ?? [];
      const places = points.map(({ positions }) => model.tipAt(command!.names, positions));
      if (places.length > 0) places.unshift(model.tipAt(shown.names, shown.positions));
      ahead.set(Float32Array.from(places.flatMap((place) => place.toArray())), places.length);
    },
    pose() {},
    lookThrough() {},
    dispose() {
      model.dispose();
      past.dispose();
      ahead.dispose();
      stage.dispose();
    },
  };
}
