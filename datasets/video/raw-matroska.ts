/**
 * @file Raw frames as a live Matroska stream: the one container that ffmpeg reads from a pipe in which every frame
 * carries its own time. Elements and ids: RFC 9559; pixel format by ColourSpace fourcc.
 */

const ids = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  codecId: 0x86,
  defaultDuration: 0x23e383,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  colourSpace: 0x2eb524,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const;

/** Ticks of the stream's clock in one second: microseconds. */
const ticksPerSecond = 1_000_000;
const unknownSize = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

function bytesOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from(bytes);
}

/** Element size, always in 8 bytes. */
function sizeOf(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(length, 2, 6);
  bytes[0] = 0x01;
  return bytes;
}

function element(id: number, content: number | string | Buffer | readonly Buffer[]): Buffer {
  const body =
    typeof content === "number"
      ? bytesOf(content)
      : typeof content === "string"
        ? Buffer.from(content, "latin1")
        : Buffer.isBuffer(content)
          ? content
          : Buffer.concat(content);
  return Buffer.concat([bytesOf(id), sizeOf(body.length), body]);
}

/** Everything before the first frame of an rgb24 stream; `fps` says how long the last frame is shown. */
export function matroskaHeader(width: number, height: number, fps: number): Buffer {
  return Buffer.concat([
    element(ids.ebml, [
      element(ids.docType, "matroska"),
      element(ids.docTypeVersion, 4),
      element(ids.docTypeReadVersion, 2),
    ]),
    ...[bytesOf(ids.segment), unknownSize],
    element(ids.info, [
      element(ids.timestampScale, 1e9 / ticksPerSecond),
      element(ids.muxingApp, "armature"),
      element(ids.writingApp, "armature"),
    ]),
    element(ids.tracks, [
      element(ids.trackEntry, [
        element(ids.trackNumber, 1),
        element(ids.trackUid, 1),
        element(ids.trackType, 1),
        element(ids.codecId, "V_UNCOMPRESSED"),
        element(ids.defaultDuration, Math.round(1e9 / fps)),
        element(ids.video, [
          element(ids.pixelWidth, width),
          element(ids.pixelHeight, height),
          element(ids.colourSpace, "RGB\x18"),
        ]),
      ]),
    ]),
  ]);
}

/** What precedes the `frameBytes` bytes of one frame: a cluster of its own, so that its time is absolute. */
export function matroskaFrameHeader(timestampS: number, frameBytes: number): Buffer {
  const timestamp = element(ids.timestamp, Math.round(timestampS * ticksPerSecond));
  // Track 1, 0 ticks after the cluster, a keyframe.
  const block = Buffer.from([0x81, 0x00, 0x00, 0x80]);
  const blockHead = Buffer.concat([bytesOf(ids.simpleBlock), sizeOf(block.length + frameBytes), block]);
  const clusterBytes = timestamp.length + blockHead.length + frameBytes;
  return Buffer.concat([bytesOf(ids.cluster), sizeOf(clusterBytes), timestamp, blockHead]);
}
