import { Color } from "three";
import type { LoadedEpisode } from "../episode/load-episode.ts";
import { type FrameTime, poseSize, samplePoses } from "../episode/poses.ts";
import { type CameraView, projectPoints } from "../episode/projection.ts";
import { findMove, makeArrows } from "../episode/signals.ts";
import { cssColor, traceColors } from "../episode/trace-colors.ts";
import { aheadS, pathBetween, positionAt } from "../episode/traces.ts";
import type { Layer } from "../three/content.ts";

/** Draws an episode's traces over the picture of one camera. @param aspect width over height of the picture */
export type TraceOverlay = (canvas: HTMLCanvasElement, at: FrameTime, aspect: number) => void;

const start: FrameTime = { frame: 0, fraction: 0 };

/** A polyline whose colour runs from the first to the last point; pieces with an end behind the camera are left out. */
function strokePath(
  context: CanvasRenderingContext2D,
  points: Float32Array,
  colors: readonly [number, number],
  widthPx: number,
): void {
  const { width, height } = context.canvas;
  const [from, to, mixed] = [new Color(colors[0]), new Color(colors[1]), new Color()];
  const count = points.length / 2;
  context.lineWidth = widthPx;
  context.lineCap = "round";
  for (let piece = 0; piece + 1 < count; piece++) {
    const [x, y, nextX, nextY] = points.subarray(2 * piece) as unknown as [number, number, number, number];
    if (!Number.isFinite(x + y + nextX + nextY)) continue;
    context.strokeStyle = `#${mixed.lerpColors(from, to, piece / Math.max(count - 2, 1)).getHexString()}`;
    context.beginPath();
    context.moveTo(x * width, y * height);
    context.lineTo(nextX * width, nextY * height);
    context.stroke();
  }
}

function strokeArrow(context: CanvasRenderingContext2D, points: Float32Array, scale: number): void {
  const { width, height } = context.canvas;
  const [x, y, tipX, tipY] = [
    points[0]! * width,
    points[1]! * height,
    points[2]! * width,
    points[3]! * height,
  ] as const;
  const length = Math.hypot(tipX - x, tipY - y);
  if (!(length > 4 * scale)) return;
  const [alongX, alongY] = [(tipX - x) / length, (tipY - y) / length];
  const head = Math.min(7 * scale, length);
  context.strokeStyle = context.fillStyle = cssColor(traceColors.action[0]);
  context.lineWidth = 2 * scale;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(tipX - alongX * head * 0.8, tipY - alongY * head * 0.8);
  context.stroke();
  context.beginPath();
  context.moveTo(tipX, tipY);
  context.lineTo(tipX - alongX * head - alongY * head * 0.5, tipY - alongY * head + alongX * head * 0.5);
  context.lineTo(tipX - alongX * head + alongY * head * 0.5, tipY - alongY * head - alongX * head * 0.5);
  context.fill();
}

/** Makes the overlay of one camera; `null` where the episode has no traces or no such camera in its scene. */
export function createTraceOverlay(
  { log, traces }: LoadedEpisode,
  camera: string,
  isShown: (layer: Layer) => boolean,
): TraceOverlay | null {
  const index = log?.scene.cameras.findIndex(({ name }) => name === camera) ?? -1;
  if (log === null || traces === null || index < 0) return null;
  const { positions, rateHz } = traces;
  const count = log.scene.cameras.length;
  const poses = new Float32Array(count * poseSize);
  const points = new Float32Array(3 * (positions.length / 3 + 2));
  const move = findMove(log.actionNames);
  const arrowAt = move && makeArrows(log.actions, log.actionNames.length, move.columns);
  return (canvas, at, aspect) => {
    const context = canvas.getContext("2d");
    if (!context) return;
    context.clearRect(0, 0, canvas.width, canvas.height);
    samplePoses(log.cameraPoses, count, at, poses);
    const pose = poses.subarray(index * poseSize, (index + 1) * poseSize);
    const view: CameraView = { pose, fovyDeg: log.scene.cameras[index]!.fovyDeg, aspect };
    const scale = canvas.width / Math.max(canvas.clientWidth, 1);
    const trace = (layer: "past" | "ahead" | "predicted", from: Float32Array, length: number, widthPx: number) => {
      if (isShown(layer)) strokePath(context, projectPoints(from, length, view), traceColors[layer], widthPx * scale);
    };
    trace("past", points, pathBetween(positions, start, at, points), 1.6);
    const end = { frame: at.frame + Math.round(aheadS * rateHz), fraction: at.fraction };
    trace("ahead", points, pathBetween(positions, at, end, points), 2.2);
    const predicted = traces.predicted(at.frame);
    if (predicted) trace("predicted", predicted, predicted.length / 3, 2.4);
    if (!arrowAt || !isShown("action")) return;
    positionAt(positions, at, points);
    arrowAt(at.frame).forEach((value, axis) => {
      points[3 + axis] = points[axis]! + value;
    });
    strokeArrow(context, projectPoints(points, 2, view), scale);
  };
}
