/**
 * @file How long the last frame of an mp4 is shown. ffmpeg up to 5 writes 0 where frames carry their own times, so that
 * frame rate and duration come out wrong and a single frame cannot be played. Boxes: ISO/IEC 14496-12.
 */
import { open } from "node:fs/promises";

type Box = { readonly type: string; readonly start: number; readonly end: number };

function* boxes(data: Buffer, start: number, end: number): Generator<Box> {
  for (let position = start; position + 8 <= end; ) {
    const size = data.readUInt32BE(position);
    if (size < 8 || position + size > end) return;
    yield { type: data.toString("latin1", position + 4, position + 8), start: position + 8, end: position + size };
    position += size;
  }
}

function find(data: Buffer, path: readonly string[], start: number, end: number): Box | undefined {
  const [type, ...rest] = path;
  for (const box of boxes(data, start, end)) {
    if (box.type === type) return rest.length === 0 ? box : find(data, rest, box.start, box.end);
  }
  return undefined;
}

/** Adds to a duration field that has 4 bytes in version 0 of a box and 8 in version 1. */
function addDuration(data: Buffer, offset: number, wide: boolean, added: number): void {
  if (wide) data.writeBigUInt64BE(data.readBigUInt64BE(offset) + BigInt(added), offset);
  else data.writeUInt32BE(data.readUInt32BE(offset) + added, offset);
}

/** Gives the last frame its duration inside the bytes of a `moov` box's content; false when it has one. */
function setLastDuration(moov: Buffer, durationS: number): boolean {
  const box = (path: string) => find(moov, path.split("/"), 0, moov.length);
  const [movie, track, media, list, times] = [
    box("mvhd"),
    box("trak/tkhd"),
    box("trak/mdia/mdhd"),
    box("trak/edts/elst"),
    box("trak/mdia/minf/stbl/stts"),
  ];
  if (!movie || !track || !media || !times) return false;
  const last = times.end - 4;
  if (moov.readUInt32BE(times.start + 4) === 0 || moov.readUInt32BE(last) !== 0) return false;
  const isWide = ({ start }: Box) => moov[start] === 1;
  // Both headers: version and flags, creation and modification time, timescale, duration.
  const timescaleAt = (header: Box) => header.start + (isWide(header) ? 20 : 12);
  const ticks = Math.round(durationS * moov.readUInt32BE(timescaleAt(media)));
  const movieTicks = Math.round(durationS * moov.readUInt32BE(timescaleAt(movie)));
  moov.writeUInt32BE(ticks, last);
  addDuration(moov, timescaleAt(media) + 4, isWide(media), ticks);
  addDuration(moov, timescaleAt(movie) + 4, isWide(movie), movieTicks);
  addDuration(moov, track.start + (isWide(track) ? 28 : 20), isWide(track), movieTicks);
  if (list) {
    const entryBytes = isWide(list) ? 20 : 12;
    const count = moov.readUInt32BE(list.start + 4);
    addDuration(moov, list.start + 8 + (count - 1) * entryBytes, isWide(list), movieTicks);
  }
  return true;
}

/** Gives the last frame of an mp4 file its duration, in place, when it has none. */
export async function setLastFrameDuration(path: string, durationS: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { size: fileBytes } = await file.stat();
    const head = Buffer.alloc(16);
    for (let position = 0; position + 8 <= fileBytes; ) {
      await file.read(head, 0, 16, position);
      const size = head.readUInt32BE(0) === 1 ? Number(head.readBigUInt64BE(8)) : head.readUInt32BE(0);
      if (head.toString("latin1", 4, 8) === "moov") {
        const moov = Buffer.alloc(size - 8);
        await file.read(moov, 0, moov.length, position + 8);
        if (setLastDuration(moov, durationS)) await file.write(moov, 0, moov.length, position + 8);
        return;
      }
      if (size < 8) return;
      position += size;
    }
  } finally {
    await file.close();
  }
}
