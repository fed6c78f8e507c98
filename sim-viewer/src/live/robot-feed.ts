import { FragmentAssembler } from "#robot-bridge/protocol/fragments.ts";
import {
  type CompressedImage,
  decodeBool,
  decodeCompressedImage,
  decodeJointState,
  decodeJointTrajectory,
  decodeString,
  type JointState,
  type JointTrajectory,
  messageTypes,
} from "#robot-bridge/protocol/messages.ts";
import { decodeOperation, encodeOperation, type Operation } from "#robot-bridge/protocol/operations.ts";
import { nsFromMs } from "#robot-bridge/protocol/stamp.ts";
import { decodeTaskStatus, type TaskStatus } from "#robot-bridge/protocol/task.ts";
import { services, topics } from "#robot-bridge/protocol/topics.ts";

/**
 * @file What a robot behind rosbridge says, heard by a page: joint states, pictures, commands of whoever drives it, its
 * task and its description. The feed only listens: it subscribes, asks for the list of topics, and publishes nothing.
 */

export type LinkState = "connecting" | "open" | "lost";

export type FeedEvents = {
  link(state: LinkState): void;
  joints(topic: string, state: JointState): void;
  command(topic: string, trajectory: JointTrajectory): void;
  picture(topic: string, image: CompressedImage): void;
  instruction(text: string): void;
  task(status: TaskStatus): void;
  estop(isOn: boolean): void;
  /** The robot as URDF. */
  description(urdf: string): void;
  /** A message that could not be understood; told once per topic. */
  problem(sentence: string): void;
};

/** An open or opening websocket. After `close` it says nothing any more. */
export type FeedSocket = { send(text: string): void; close(): void };
export type SocketEvents = { opened(): void; received(text: string): void; closed(): void };

/** The page's time, so that tests own it. */
export type FeedTime = {
  nowMs(): number;
  /** @returns how to call it off */
  after(durationMs: number, act: () => void): () => void;
};

export type FeedOptions = {
  readonly url: string;
  readonly events: FeedEvents;
  readonly openSocket: (url: string, events: SocketEvents) => FeedSocket;
  readonly time: FeedTime;
};

/** How long until the next try after each failed one, milliseconds; the last repeats. */
const retryMs = [500, 1000, 2000, 5000];
/** Topics that appear later are found after this long, milliseconds. */
const lookMs = 5000;
/** Descriptions with their meshes' names are long, not endless: characters. */
const longestDescription = 4 * 1024 * 1024;
const mostPictures = 8;

type Listening = { readonly type: string; readonly everyMs: number; hear(topic: string, message: unknown): void };

/** `sensor_msgs/JointState` and `sensor_msgs/msg/JointState` name one type. */
const plainType = (type: string) => type.replace("/msg/", "/");

function decodeDescription(message: unknown): string {
  const { data } = message as { data?: unknown };
  if (typeof data === "string" && data.length <= longestDescription) return data;
  return decodeString(message);
}

/** What is listened to by name, whether or not the robot lists its topics. */
function namedTopics(events: FeedEvents): ReadonlyMap<string, Listening> {
  const text = (hear: (message: unknown) => void): Listening => ({
    type: messageTypes.string,
    everyMs: 0,
    hear: (_topic, message) => hear(message),
  });
  return new Map([
    [topics.instruction, text((message) => events.instruction(decodeString(message)))],
    [topics.status, text((message) => events.task(decodeTaskStatus(message)))],
    [topics.description, text((message) => events.description(decodeDescription(message)))],
    [
      topics.estop,
      { type: messageTypes.bool, everyMs: 0, hear: (_topic, message) => events.estop(decodeBool(message)) },
    ],
  ]);
}

/** What is listened to by type, under whatever names. */
function typedTopics(events: FeedEvents): ReadonlyMap<string, Listening> {
  const kinds: readonly Listening[] = [
    {
      type: messageTypes.jointState,
      everyMs: 20,
      hear: (topic, message) => events.joints(topic, decodeJointState(message)),
    },
    {
      type: messageTypes.jointTrajectory,
      everyMs: 0,
      hear: (topic, message) => events.command(topic, decodeJointTrajectory(message)),
    },
    {
      type: messageTypes.compressedImage,
      everyMs: 50,
      hear: (topic, message) => events.picture(topic, decodeCompressedImage(message)),
    },
  ];
  return new Map(kinds.map((kind) => [plainType(kind.type), kind]));
}

/** Connects, stays connected until it is closed, and tells what it hears. */
export function connectFeed({ url, events, openSocket, time }: FeedOptions): { close(): void } {
  const named = namedTopics(events);
  const typed = typedTopics(events);
  const misunderstood = new Set<string>();
  let socket: FeedSocket | null = null;
  let heard = new Map<string, Listening>();
  let fragments = new FragmentAssembler();
  let failures = 0;
  let cancelTimer = () => {};

  const send = (operation: Operation) => socket?.send(encodeOperation(operation));
  const subscribe = (topic: string, listening: Listening) => {
    if (heard.has(topic)) return;
    heard.set(topic, listening);
    // The newest of each kind, never a queue of old ones: what is late is no longer live.
    const pace = { throttle_rate: listening.everyMs, queue_length: 1 };
    send({ op: "subscribe", topic, type: listening.type, ...(listening.everyMs > 0 ? pace : {}) });
  };
  const look = () => {
    send({ op: "call_service", id: "topics", service: services.topics, args: {} });
    cancelTimer = time.after(lookMs, look);
  };
  const hearTopics = (values: unknown) => {
    const { topics: names, types } = values as { topics?: unknown; types?: unknown };
    if (!Array.isArray(names) || !Array.isArray(types)) return;
    names.forEach((name, index) => {
      const kind = typed.get(plainType(String(types[index])));
      if (typeof name !== "string" || !kind) return;
      const isPicture = kind.type === messageTypes.compressedImage;
      const pictures = [...heard.values()].filter(({ type }) => type === kind.type).length;
      if (!isPicture || pictures < mostPictures) subscribe(name, kind);
    });
  };
  const receive = (text: string) => {
    const operation = decodeOperation(text);
    if (operation.op === "fragment") {
      const whole = fragments.add(operation, nsFromMs(time.nowMs()));
      if (whole !== null) receive(whole);
    } else if (operation.op === "publish") {
      heard.get(operation.topic)?.hear(operation.topic, operation.msg);
    } else if (operation.op === "service_response" && operation.id === "topics") {
      hearTopics(operation.values);
    }
  };
  const received = (text: string) => {
    try {
      receive(text);
    } catch (error) {
      const sentence = (error as Error).message;
      const kind = sentence.split(":", 1)[0]!;
      if (!misunderstood.has(kind)) events.problem(sentence);
      misunderstood.add(kind);
    }
  };
  const open = () => {
    events.link("connecting");
    socket = openSocket(url, { opened, received, closed });
  };
  const opened = () => {
    failures = 0;
    heard = new Map();
    fragments = new FragmentAssembler();
    events.link("open");
    for (const [topic, listening] of named) subscribe(topic, listening);
    // Robots whose rosbridge has no rosapi do not list topics: the usual names are tried.
    subscribe(topics.jointStates, typed.get(plainType(messageTypes.jointState))!);
    subscribe(topics.command, typed.get(plainType(messageTypes.jointTrajectory))!);
    look();
  };
  const closed = () => {
    cancelTimer();
    events.link("lost");
    cancelTimer = time.after(retryMs[Math.min(failures++, retryMs.length - 1)]!, open);
  };
  open();
  return {
    close() {
      cancelTimer();
      socket?.close();
    },
  };
}
