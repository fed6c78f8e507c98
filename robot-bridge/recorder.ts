import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { type Clock, systemClock } from "#core/clock.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { compressedImage, scalars, timeOf } from "#datasets/mcap/schemas.ts";
import { createMcapRecorder, type JsonChannel, type McapRecorder } from "#datasets/mcap/writer.ts";
import { encodeBase64 } from "./protocol/base64.ts";
import {
  decodeBool,
  decodeCompressedImage,
  decodeJointState,
  decodeJointTrajectory,
  decodeString,
  messageTypes,
} from "./protocol/messages.ts";
import { msFromNs } from "./protocol/stamp.ts";
import type { ArmLink } from "./robots/arm-link.ts";
import type { ArmTopics } from "./robots/arm-senses.ts";
import { epochClock } from "./wall-clock.ts";

export type RecordOptions = {
  /** A link of its own; it is opened and closed here. */
  readonly link: ArmLink;
  /** File to write, .mcap; must not be there yet. */
  readonly path: string;
  readonly topics: ArmTopics;
  /** Camera topics. */
  readonly cameras: readonly string[];
  /** Ends the recording. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly onProgress?: (recording: RecordingSummary) => void;
};

export type RecordingSummary = {
  readonly seconds: number;
  /** Messages by topic. */
  readonly messages: Readonly<Record<string, number>>;
  /** Messages that were not understood. */
  readonly notUnderstood: number;
  /** Messages that were left out because the disk was too slow. */
  readonly dropped: number;
};

/** What one message becomes in the recording. */
type Written = { readonly stampNs: bigint; readonly message: object; readonly bytes: number };

const largestBacklog = 64 * 1024 * 1024;
const progressMs = 500;

const text = {
  schemaName: "std_msgs/String",
  schema: { title: "std_msgs/String", type: "object", properties: { data: { type: "string" } } },
};
const flag = {
  schemaName: "std_msgs/Bool",
  schema: { title: "std_msgs/Bool", type: "object", properties: { data: { type: "boolean" } } },
};

const labelled = (stampNs: bigint, rows: readonly (readonly [label: string, value: number])[]): Written => {
  const values = rows.map(([label, value]) => ({ label, value: Number.isFinite(value) ? value : null }));
  return { stampNs, message: { timestamp: timeOf(stampNs), scalars: values }, bytes: 64 * rows.length };
};

/**
 * Records what a robot and its commander say, as MCAP that Foxglove, Rerun and our viewer open, until `signal` fires. It
 * listens beside a run and disturbs nothing. The file gets its name when it is whole; while it is written it is called
 * `.part` (a recording that was killed can be repaired).
 *
 * @throws UserError when the file is there already or cannot be written @throws RobotError when the server is not there
 */
export async function recordRobot(options: RecordOptions): Promise<RecordingSummary> {
  const { link, path, signal, clock = systemClock } = options;
  if (existsSync(path)) throw new UserError(`${path}: is there already. Choose another name, or remove it.`);
  const partial = `${path}.part`;
  const recorder = await createMcapRecorder(partial);
  const recording = new Recording(options, recorder);
  try {
    await recording.listen();
    await link.open();
    while (!signal.aborted && !recording.failure) {
      await clock.sleep(progressMs, signal).catch(() => undefined);
      options.onProgress?.(recording.summary());
    }
    await link.close();
    await recording.settle();
    if (recording.failure) throw recording.failure;
    await recorder.close();
    await rename(partial, path);
    return recording.summary();
  } catch (error) {
    await link.close();
    await recorder.close().catch(() => undefined);
    // What was recorded before a full disk is worth keeping.
    if (Object.keys(recording.summary().messages).length === 0) await rm(partial, { force: true });
    throw error;
  }
}

class Recording {
  failure: Error | null = null;
  private readonly options: RecordOptions;
  private readonly recorder: McapRecorder;
  private readonly clock: Clock;
  /** Nanoseconds since 1970, for messages without a stamp. */
  private readonly wall: Clock;
  private readonly startNs: bigint;
  private readonly counts: Record<string, number> = {};
  private pending: Promise<unknown> = Promise.resolve();
  private backlog = 0;
  private notUnderstood = 0;
  private dropped = 0;

  constructor(options: RecordOptions, recorder: McapRecorder) {
    this.options = options;
    this.recorder = recorder;
    this.clock = options.clock ?? systemClock;
    this.wall = epochClock(this.clock);
    this.startNs = this.clock.nowNs();
  }

  async listen(): Promise<void> {
    const { topics, cameras } = this.options;
    const numbers = { schemaName: "Scalars", schema: scalars };
    await this.follow(topics.jointStates, messageTypes.jointState, numbers, (message) => {
      const { stampNs, names, positions, velocities } = decodeJointState(message);
      const rows = names.map((name, joint) => [`${name} position`, positions[joint] ?? Number.NaN] as const);
      const speeds = Array.from(velocities, (value, joint) => [`${names[joint]} velocity`, value] as const);
      return labelled(stampNs, [...rows, ...speeds]);
    });
    await this.follow(topics.command, messageTypes.jointTrajectory, numbers, (message) => {
      const { stampNs, names, points } = decodeJointTrajectory(message);
      const target = points[0]?.positions;
      const rows = names.map((name, joint) => [`${name} command`, target?.[joint] ?? Number.NaN] as const);
      return labelled(stampNs || this.wall.nowNs(), rows);
    });
    const words = (message: unknown): Written => {
      const data = decodeString(message);
      return { stampNs: this.wall.nowNs(), message: { data }, bytes: data.length };
    };
    await this.follow(topics.instruction, messageTypes.string, text, words);
    await this.follow(topics.status, messageTypes.string, text, words);
    await this.follow(topics.estop, messageTypes.bool, flag, (message) => {
      return { stampNs: this.wall.nowNs(), message: { data: decodeBool(message) }, bytes: 8 };
    });
    const picture = { schemaName: "foxglove.CompressedImage", schema: compressedImage };
    for (const camera of cameras) {
      await this.follow(camera, messageTypes.compressedImage, picture, (message) => {
        const { stampNs, frameId, format, data } = decodeCompressedImage(message);
        const kind = /jpe?g/i.test(format) ? "jpeg" : "png";
        const body = { timestamp: timeOf(stampNs), frame_id: frameId, format: kind, data: encodeBase64(data) };
        return { stampNs, message: body, bytes: body.data.length };
      });
    }
  }

  private async follow(
    topic: string,
    type: string,
    schema: Omit<JsonChannel, "topic">,
    read: (message: unknown) => Written,
  ): Promise<void> {
    const channel = await this.recorder.addChannel({ topic, ...schema });
    this.options.link.subscribe(topic, type, (message) => {
      try {
        this.write(topic, channel, read(message));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        this.notUnderstood += 1;
      }
    });
  }

  private write(topic: string, channel: number, { stampNs, message, bytes }: Written): void {
    if (this.backlog + bytes > largestBacklog) {
      this.dropped += 1;
      return;
    }
    this.backlog += bytes;
    this.counts[topic] = (this.counts[topic] ?? 0) + 1;
    this.pending = this.recorder
      .write(channel, stampNs, message)
      .catch((error: Error) => {
        this.failure ??= error;
      })
      .finally(() => {
        this.backlog -= bytes;
      });
  }

  /** Resolves when everything that came is in the file. */
  async settle(): Promise<void> {
    await this.pending;
  }

  summary(): RecordingSummary {
    const { notUnderstood, dropped } = this;
    const seconds = msFromNs(this.clock.nowNs() - this.startNs) / 1000;
    return { seconds, messages: { ...this.counts }, notUnderstood, dropped };
  }
}
