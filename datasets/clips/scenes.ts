/** Frames [start, end) between two cuts. */
export type Scene = { readonly start: number; readonly end: number };

/**
 * Cuts where the colours change by at least `threshold` from one frame to the next, but never twice within
 * `minimumFrames`, as PySceneDetect's ContentDetector with its suppressing filter.
 *
 * @param changes change of every frame against the one before; the first is ignored
 */
export function findScenes(changes: readonly number[], threshold: number, minimumFrames: number): Scene[] {
  const starts = [0];
  for (let frame = 1; frame < changes.length; frame++) {
    if (changes[frame]! >= threshold && frame - starts.at(-1)! >= minimumFrames) starts.push(frame);
  }
  return starts
    .map((start, index) => ({ start, end: starts[index + 1] ?? changes.length }))
    .filter(({ start, end }) => end > start);
}
