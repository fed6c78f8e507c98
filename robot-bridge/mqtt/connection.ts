/**
 * @file One MQTT 5 connection that keeps nothing. MQTT.js stores what is published while it is down and sends it when it
 * is back (measured: 500 of 500, also at QoS 0), and resends QoS 1 after a reconnection. Here every connection has its own
 * client, which never reconnects, starts clean and is thrown away. Messages are JSON of the ROS messages; the topic of
 * `/joint_states` is `<prefix>/joint_states`; user property `from` names the sender.
 */
import { randomUUID } from "node:crypto";
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { RobotError } from "#core/errors.ts";

export type MqttOptions = {
  /** mqtt://host:1883 or mqtts://, with user and password where the broker asks for them. */
  readonly url: string;
  /** First part of all topics: "armature/arm-1". */
  readonly prefix: string;
  readonly connectTimeoutMs?: number;
  /** Seconds after which a silent peer is asked; gone after one and a half times that. */
  readonly keepaliveS?: number;
  /** What the broker publishes when this connection is lost without a goodbye. */
  readonly will?: { readonly topic: string; readonly message: unknown } | undefined;
};

export type MqttMessage = { readonly topic: string; readonly payload: Buffer; readonly packet: IPublishPacket };

/** A command that waited this long somewhere is dropped by the broker, seconds; its own time-to-live is much shorter. */
const expiryS = 1;

export class MqttConnection {
  readonly id: string;
  /** Resolves when the connection has ended. */
  readonly lost: Promise<string>;
  private readonly client: MqttClient;
  private readonly prefix: string;

  private constructor(client: MqttClient, id: string, prefix: string) {
    this.client = client;
    this.id = id;
    this.prefix = prefix;
    let problem = "the broker closed the connection";
    client.on("error", (error) => {
      problem = error.message;
    });
    this.lost = new Promise((resolve) => client.once("close", () => resolve(problem)));
  }

  /** @throws RobotError in one sentence when there is no connection */
  static open(options: MqttOptions, signal?: AbortSignal): Promise<MqttConnection> {
    const { url, prefix, connectTimeoutMs = 3000, keepaliveS = 2, will } = options;
    if (!isBrokerUrl(url)) {
      return Promise.reject(
        new RobotError(`robot: must be an address like mqtt://host:1883, got "${shownUrl(url)}". Correct --robot.`),
      );
    }
    const id = `armature-${randomUUID().slice(0, 8)}`;
    const settings: IClientOptions = {
      clientId: id,
      protocolVersion: 5,
      clean: true,
      properties: { sessionExpiryInterval: 0 },
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      keepalive: keepaliveS,
      connectTimeout: connectTimeoutMs,
      ...(will ? { will: willPacket(prefix, will, id) } : {}),
    };
    return new Promise((resolve, reject) => {
      const client = connect(url, settings);
      let problem: unknown;
      const stop = () => client.end(true);
      const done = () => signal?.removeEventListener("abort", stop);
      signal?.addEventListener("abort", stop, { once: true });
      client.on("error", (error) => {
        problem ??= error;
        client.end(true);
      });
      client.once("close", () => {
        done();
        reject(connectError(url, problem));
      });
      client.once("connect", () => {
        done();
        resolve(new MqttConnection(client, id, prefix));
      });
    });
  }

  get isOpen(): boolean {
    return this.client.connected;
  }

  /** True when a message that is published now goes out now. */
  isClear(maxBufferedBytes: number): boolean {
    return this.client.connected && (this.client.stream.writableLength ?? 0) <= maxBufferedBytes;
  }

  onMessage(listener: (message: MqttMessage) => void): void {
    this.client.on("message", (topic, payload, packet) => {
      listener({ topic: topic.slice(this.prefix.length), payload, packet });
    });
  }

  /** @param topic as in ROS, from its slash on; `#` and `+` are MQTT's */
  subscribe(topic: string, qos: 0 | 1): void {
    // An error here means that the connection is gone, which `lost` says.
    this.client.subscribe(`${this.prefix}${topic}`, { qos }, () => undefined);
  }

  publish(topic: string, message: unknown, options: PublishOptions = {}): void {
    const { latch = false, replyTo, correlation } = options;
    this.client.publish(
      `${this.prefix}${topic}`,
      JSON.stringify(message),
      {
        // What lasts must arrive; what is stale soon must not wait.
        qos: latch ? 1 : 0,
        retain: latch,
        properties: {
          ...(latch ? {} : { messageExpiryInterval: expiryS }),
          ...(replyTo === undefined ? {} : { responseTopic: `${this.prefix}${replyTo}` }),
          ...(correlation === undefined ? {} : { correlationData: Buffer.from(correlation) }),
          userProperties: { from: this.id },
        },
      },
      () => undefined,
    );
  }

  /** Says goodbye, so that the broker publishes no will. */
  close(): void {
    this.client.end(false);
    setTimeout(() => this.client.end(true), 250).unref();
  }
}

export type PublishOptions = {
  /** Keep for those who subscribe later. */
  readonly latch?: boolean;
  readonly replyTo?: string;
  readonly correlation?: string;
};

/** MQTT over TCP or websockets, with or without TLS. */
const isBrokerUrl = (url: string): boolean =>
  URL.canParse(url) && ["mqtt:", "mqtts:", "ws:", "wss:"].includes(new URL(url).protocol);

/** Without user and password. */
const shownUrl = (url: string): string => url.replace(/\/\/[^@/]*@/, "//...@");

/** Who sent a message, as it says itself. */
export function senderOf({ properties }: IPublishPacket): string {
  const from = properties?.userProperties?.from;
  return typeof from === "string" ? from : "unknown";
}

function willPacket(prefix: string, { topic, message }: { topic: string; message: unknown }, id: string) {
  return {
    topic: `${prefix}${topic}`,
    payload: Buffer.from(JSON.stringify(message)),
    qos: 1 as const,
    retain: false,
    properties: { userProperties: { from: id } },
  };
}

function connectError(url: string, cause: unknown): RobotError {
  const shown = shownUrl(url);
  const { code, message = "" } = (cause ?? {}) as { code?: string | number; message?: string };
  if (code === "ECONNREFUSED") {
    return new RobotError(`${shown}: nothing listens there. Start the broker, or correct --robot.`, { cause });
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new RobotError(`${shown}: the host's name is not known. Correct --robot.`, { cause });
  }
  if (code === 5 || code === 134 || code === 135) {
    return new RobotError(`${shown}: the broker wants another user or password. Put them into --robot.`, { cause });
  }
  return new RobotError(`${shown}: no MQTT 5 broker answers (${message || "closed at once"}). Correct --robot.`, {
    cause,
  });
}
