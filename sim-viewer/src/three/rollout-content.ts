import { Color, Group, type Object3D, type PerspectiveCamera, Quaternion, SRGBColorSpace, Vector3 } from "three";
import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { poseSize, samplePoses } from "../episode/poses.ts";
import { findMove, makeArrows } from "../episode/signals.ts";
import { positionAt, type Traces } from "../episode/traces.ts";
import { createActionArrow } from "./action-arrow.ts";
import type { Content, Layer } from "./content.ts";
import { groundGeoms, outlookFrom, rolloutExtent } from "./extent.ts";
import { buildMeshes } from "./scene-meshes.ts";
import { createStage } from "./stage.ts";
import { createTraceLines } from "./trace-lines.ts";

/** A rollout as logged: the scene's geoms where the physics had them, with traces and actions drawn in. */
export function rolloutContent(log: RolloutLog, traces: Traces | null): Content {
  const { scene } = log;
  const extent = rolloutExtent(log);
  const stage = createStage(scene.lights, scene.ambient, extent);
  const meshes = buildMeshes(scene);
  const ground = groundGeoms(log);
  const move = findMove(log.actionNames);
  const lines = traces && createTraceLines(traces, 0);
  const arrows = move && makeArrows(log.actions, log.actionNames.length, move.columns);
  const arrow = traces && arrows && createActionArrow(arrows);
  const layers = new Map<Layer, Object3D>(lines?.layers);
  if (arrow) layers.set("action", new Group().add(arrow.object));
  stage.scene.add(...meshes, ...layers.values());
  const geomPoses = new Float32Array(scene.geoms.length * poseSize);
  const cameraPoses = new Float32Array(scene.cameras.length * poseSize);
  const tip = new Float32Array(3);
  const [position, rotation, one] = [new Vector3(), new Quaternion(), new Vector3(1, 1, 1)];
  const first = scene.cameras.length > 0 ? new Vector3().fromArray(log.cameraPoses) : new Vector3(0.3, -1, 0.8);
  return {
    stage,
    extent,
    layers,
    cameras: scene.cameras.map(({ name }) => name),
    outlook: outlookFrom(first, extent.centre),
    background: new Color().setRGB(...(scene.background as [number, number, number]), SRGBColorSpace),
    setGround(isShown) {
      for (const index of ground) meshes[index]!.visible = isShown;
    },
    pose(at) {
      samplePoses(log.geomPoses, scene.geoms.length, at, geomPoses);
      samplePoses(log.cameraPoses, scene.cameras.length, at, cameraPoses);
      meshes.forEach((mesh, index) => {
        position.fromArray(geomPoses, index * poseSize);
        mesh.matrix.compose(position, rotation.fromArray(geomPoses, index * poseSize + 3), one);
        mesh.matrixWorldNeedsUpdate = true;
      });
      lines?.update(at);
      if (!traces || !arrow) return;
      positionAt(traces.positions, at, tip);
      arrow.update(at.frame, position.fromArray(tip));
    },
    lookThrough(name: string, camera: PerspectiveCamera) {
      const index = scene.cameras.findIndex((entry) => entry.name === name);
      if (index < 0) return;
      camera.position.fromArray(cameraPoses, index * poseSize);
      camera.quaternion.fromArray(cameraPoses, index * poseSize + 3);
      camera.fov = scene.cameras[index]!.fovyDeg;
    },
    dispose() {
      for (const mesh of meshes) {
        mesh.geometry.dispose();
        mesh.material.map?.dispose();
        mesh.material.dispose();
      }
      lines?.dispose();
      arrow?.dispose();
      stage.dispose();
    },
  };
}
