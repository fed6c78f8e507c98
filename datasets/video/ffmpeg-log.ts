/**
 * @file Reads what ffmpeg says about a file while it works: streams, frame times, damage. The log is the only channel
 * that every build has (the packaged ones bring no ffprobe), and it costs no second process.
 */

/** What a container and its first real video stream say of themselves, before any frame is decoded. */
export type VideoInfo = {
  readonly path: string;
  /** Demuxer names as ffmpeg gives them: "mov,mp4,m4a,3gp,3g2,mj2". */
  readonly container: string;
  readonly codec: string;
  readonly pixelFormat: string;
  /** Size of the frames that decoding gives: upright, after rotation, in stored pixels. */
  readonly width: number;
  readonly height: number;
  /** Width of a pixel over its height; 1 for square ones. */
  readonly pixelAspect: number;
  /** Clockwise turn that makes the stored picture upright: 0, 90, 180 or 270. */
  readonly rotationDeg: number;
  /** Nominal frame rate; the true times are those of the frames. */
  readonly rateHz: number | undefined;
  readonly durationS: number | undefined;
  readonly startS: number;
  readonly hasAudio: boolean;
};

type Stream = { kind: string; description: string; rotationDeg: number };

/** Clock in which frame times are printed: whole nanoseconds. */
export const ticksPerSecond = 1_000_000_000;

const damage =
  /partial file|read error|ended prematurely|moov atom not found|error while decoding|error splitting|invalid nal unit|invalid data found|missing picture|corrupt|truncat|decoding error|error submitting packet|concealing/i;

/** Splits at commas outside brackets: "yuv420p(tv, bt709), 720x480 [SAR 32:27 DAR 16:9], 30 fps". */
function splitFields(description: string): string[] {
  const fields: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < description.length; index++) {
    const letter = description[index]!;
    if (letter === "(" || letter === "[") depth++;
    else if (letter === ")" || letter === "]") depth--;
    else if (letter === "," && depth === 0) {
      fields.push(description.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...fields, description.slice(start).trim()];
}

function pictureSize(description: string): { width: number; height: number } | undefined {
  const [, width, height] =
    splitFields(description)
      .map((field) => /^(\d+)x(\d+)\b/.exec(field))
      .find((match) => match !== null) ?? [];
  return width === undefined ? undefined : { width: Number(width), height: Number(height) };
}

const seconds = (hours: string, minutes: string, rest: string) =>
  Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);

export class FfmpegLog {
  readonly #streams: Stream[] = [];
  readonly #problems: string[] = [];
  readonly #waiting: (() => void)[] = [];
  #container = "";
  #durationS: number | undefined;
  #startS = 0;
  #inOutput = false;
  /** Presentation time of every frame so far, seconds as the container says; NaN where it says none. */
  readonly timesS: number[] = [];
  /** Size of the frames that come out, once known. */
  outputSize: { readonly width: number; readonly height: number } | undefined;
  ended = false;

  /** Takes one line of the log. */
  readonly push = (line: string) => {
    const frame = /^(?:\[Eval @ [^\]]*\] )?\[info\] (-?\d+\.\d+|-?nan)$/.exec(line);
    if (frame) {
      this.timesS.push(Number.parseFloat(frame[1]!) / ticksPerSecond);
      this.#wake();
      return;
    }
    this.#readHeader(line);
    const level = /\[(error|fatal|panic|warning|info)\]/.exec(line)?.[1];
    if (level === "error" || level === "fatal" || level === "panic") {
      if (this.#problems.length < 20) this.#problems.push(line.replace(/^(\[[^\]]*\] )+/, ""));
    }
  };

  #readHeader(line: string): void {
    const input = /Input #0, ([^ ]+), from /.exec(line);
    if (input) this.#container = input[1]!;
    const duration = /Duration: (?:(\d+):(\d+):([\d.]+)|N\/A)(?:, start: (-?[\d.]+))?/.exec(line);
    if (duration) {
      if (duration[1] !== undefined) this.#durationS = seconds(duration[1], duration[2]!, duration[3]!);
      if (duration[4] !== undefined) this.#startS = Number(duration[4]);
    }
    if (/Output #0, /.test(line)) this.#inOutput = true;
    const stream = /Stream #\d+:\d+[^:]*: (\w+): (.*)$/.exec(line);
    if (stream && this.#inOutput) {
      this.outputSize = pictureSize(stream[2]!);
      this.#wake();
    } else if (stream) {
      this.#streams.push({ kind: stream[1]!, description: stream[2]!, rotationDeg: 0 });
    }
    const turned = /displaymatrix: rotation of (-?[\d.]+) degrees/.exec(line);
    const last = this.#streams.at(-1);
    if (turned && last && !this.#inOutput) last.rotationDeg = (((-Number(turned[1]) % 360) + 360) % 360) + 0;
  }

  end(): void {
    this.ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves as soon as `holds` does, or the log ends. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.ended) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  /** First sign that the file itself is damaged, in ffmpeg's words. */
  get damage(): string | undefined {
    return this.#problems.find((line) => damage.test(line));
  }

  get opened(): boolean {
    return this.#container !== "";
  }

  get hasOtherStreams(): boolean {
    return this.#streams.length > 1;
  }

  /** `undefined` when the file has no video stream (cover pictures of songs are none). */
  info(path: string): VideoInfo | undefined {
    const stream = this.#streams.find(({ kind, description }) => kind === "Video" && !/attached pic/.test(description));
    if (!stream) return undefined;
    const fields = splitFields(stream.description);
    const size = pictureSize(stream.description);
    const aspect = /SAR (\d+):(\d+)/.exec(stream.description);
    const rate = /([\d.]+)(k?) fps/.exec(stream.description);
    const { width, height } = size ?? { width: 0, height: 0 };
    const sideways = stream.rotationDeg % 180 === 90;
    return {
      path,
      container: this.#container,
      codec: fields[0]!.split(" ")[0]!,
      pixelFormat: (fields[1] ?? "").split("(")[0]!,
      width: sideways ? height : width,
      height: sideways ? width : height,
      pixelAspect: aspect && aspect[1] !== "0" ? Number(aspect[1]) / Number(aspect[2]) : 1,
      rotationDeg: stream.rotationDeg,
      rateHz: rate ? Number(rate[1]) * (rate[2] ? 1000 : 1) : undefined,
      durationS: this.#durationS,
      startS: this.#startS,
      hasAudio: this.#streams.some(({ kind }) => kind === "Audio"),
    };
  }
}
