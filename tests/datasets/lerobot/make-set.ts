/** @file A small LeRobot data set with known numbers and pictures. */
import type { Feature } from "#core/contracts/episode.ts";
import { createLeRobotWriter, type LeRobotWriterOptions } from "#datasets/lerobot/index.ts";

export const camera = "observation.images.front";
export const features: Readonly<Record<string, Feature>> = {
  "observation.state": { dtype: "float32", shape: [2], names: ["x", "y"] },
  action: { dtype: "float32", shape: [3], names: ["dx", "dy", "grip"] },
  "next.done": { dtype: "bool", shape: [1], names: null },
  [camera]: { dtype: "video", shape: [24, 32, 3], names: ["height", "width", "channels"] },
};
/** Task and true times of every episode; the second has a gap. */
export const episodes = [
  { task: "push the red block", times: [0, 0.1, 0.2, 0.3, 0.4] },
  { task: "push the blue block", times: [0, 0.1, 0.2, 0.5, 0.61, 0.7] },
  { task: "push the red block", times: [0.05, 0.15, 0.25] },
] as const;

export const greyOf = (episode: number, frame: number): number => 20 + 60 * episode + 8 * frame;

export function frameOf(episode: number, frame: number) {
  const { times } = episodes[episode]!;
  return {
    timestampS: times[frame]!,
    values: {
      "observation.state": Float32Array.of(frame / 8, episode),
      action: Float32Array.of(0.25 * frame, -0.5, episode),
      "next.done": Float32Array.of(frame === times.length - 1 ? 1 : 0),
    },
    images: { [camera]: { data: new Uint8Array(24 * 32 * 3).fill(greyOf(episode, frame)), height: 24, width: 32 } },
  };
}

export async function writeSet(path: string, options: Partial<LeRobotWriterOptions> = {}): Promise<string> {
  const writer = await createLeRobotWriter(path, { fps: 10, robotType: "pusher", features, ...options });
  for (const [episode, { task, times }] of episodes.entries()) {
    await writer.startEpisode(task);
    for (let frame = 0; frame < times.length; frame++) await writer.addFrame(frameOf(episode, frame));
    await writer.endEpisode();
  }
  await writer.finish();
  return path;
}
