import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from "mediabunny";
import { FormatError } from "#core/errors.ts";

/**
 * Reads when each frame of a video comes on, from the container's tables alone: nothing is decoded.
 *
 * @returns seconds of the file, ascending
 * @throws FormatError when the file is no video, is cut or has no frames
 */
export async function readFrameTimes(path: string): Promise<number[]> {
  const input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(path) });
  try {
    const track = await input.getPrimaryVideoTrack();
    const times: number[] = [];
    if (track) {
      const packets = new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true });
      for await (const { timestamp } of packets) times.push(timestamp);
    }
    if (times.length === 0)
      throw new FormatError(path, "must hold a video track with frames, got none. Write it again.");
    // Packets come in the order of decoding.
    return times.sort((left, right) => left - right);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(path, "must be a whole video file, got a cut or broken one. Write it again.", { cause });
  } finally {
    input.dispose();
  }
}

/**
 * Pairs the frames of an episode with those of its video file.
 *
 * @param startS where in the file the episode begins, seconds
 *
 * As many frames as rows: frame i is row i, whatever the two clocks say, because recorders drop rows and frames together
 * and writers store what is left at an even rate. Otherwise each row takes the newest frame that is on at its own time.
 */
export function pairFrames(fileTimesS: readonly number[], timestampsS: readonly number[], startS = 0): number[] {
  if (fileTimesS.length === timestampsS.length) return [...fileTimesS];
  let frame = 0;
  return timestampsS.map((timeS) => {
    // A millisecond of grace: the same instant is rounded differently in the two files.
    while (frame + 1 < fileTimesS.length && fileTimesS[frame + 1]! - startS <= timeS + 0.001) frame++;
    return fileTimesS[frame] ?? startS;
  });
}
