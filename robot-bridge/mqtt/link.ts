import { RobotError } from "#core/errors.ts";
import { emptyTrajectory, encodeJointTrajectory } from "../protocol/messages.ts";
import { topics } from "../protocol/topics.ts";
import { type LinkConnection, SupervisedLink, type SupervisionOptions } from "../robots/supervised-link.ts";
import { MqttConnection, type MqttOptions } from "./connection.ts";

export type MqttLinkOptions = SupervisionOptions &
  MqttOptions & {
    readonly maxBufferedBytes?: number;
  };

/** A supervised connection to an MQTT broker. */
export class MqttLink extends SupervisedLink {
  constructor(options: MqttLinkOptions) {
    super((signal) => dialMqtt(options, signal), options);
  }
}

/**
 * The three connections of one arm. When the command link dies without a goodbye, the broker tells the arm to hold, within
 * one and a half times the keepalive.
 *
 * @param joints names for that hold
 */
export function mqttArmLinks(joints: readonly string[], options: Omit<MqttLinkOptions, "name" | "will">) {
  const will = { topic: topics.command, message: encodeJointTrajectory(emptyTrajectory(joints)) };
  return {
    command: new MqttLink({ ...options, name: "command link", will }),
    camera: new MqttLink({ ...options, name: "camera link" }),
    estop: new MqttLink({ ...options, name: "e-stop link" }),
  };
}

type Waiting = { readonly resolve: (values: unknown) => void; readonly reject: (error: RobotError) => void };

async function dialMqtt(options: MqttLinkOptions, signal: AbortSignal): Promise<LinkConnection> {
  const { maxBufferedBytes = 64 * 1024, name, log = () => undefined } = options;
  const connection = await MqttConnection.open(options, signal);
  const listeners = new Map<string, ((message: unknown) => void)[]>();
  const waiting = new Map<string, Waiting>();
  const replies = `/reply/${connection.id}`;
  connection.subscribe(replies, 0);
  connection.onMessage(({ topic, payload, packet }) => {
    let message: unknown;
    try {
      message = JSON.parse(payload.toString("utf8"));
    } catch {
      log(`${name}: ignored on ${topic}: not JSON (${payload.length} bytes)`);
      return;
    }
    if (topic === replies) answer(waiting, packet.properties?.correlationData?.toString() ?? "", message);
    else for (const listener of listeners.get(topic) ?? []) listener(message);
  });
  let calls = 0;
  return {
    get isOpen() {
      return connection.isOpen;
    },
    get isClear() {
      return connection.isClear(maxBufferedBytes);
    },
    lost: connection.lost,
    close: () => connection.close(),
    subscribe(topic, _type, listener, periodMs) {
      const known = listeners.get(topic) ?? [];
      listeners.set(topic, [...known, thinned(listener, periodMs)]);
      if (known.length === 0) connection.subscribe(topic, 1);
    },
    publish: (topic, _type, message, latch) => connection.publish(topic, message, { latch }),
    call(service, args) {
      const correlation = String(++calls);
      return new Promise((resolve, reject) => {
        waiting.set(correlation, { resolve, reject });
        // Answers that never come must not pile up.
        if (waiting.size > 100) waiting.delete(waiting.keys().next().value!);
        connection.publish(`/service${service}`, args, { replyTo: replies, correlation });
      });
    },
  };
}

function answer(waiting: Map<string, Waiting>, id: string, message: unknown): void {
  const call = waiting.get(id);
  if (!call || typeof message !== "object" || message === null) return;
  waiting.delete(id);
  const { result, values } = message as { readonly result?: unknown; readonly values?: unknown };
  if (result === true) call.resolve(values);
  else call.reject(new RobotError(`the robot answered "${String(values)}".`));
}

/** A broker does not thin out: what comes sooner than the period after the last one is left out here. */
function thinned(listener: (message: unknown) => void, periodMs: number): (message: unknown) => void {
  if (periodMs === 0) return listener;
  let nextMs = Number.NEGATIVE_INFINITY;
  return (message) => {
    const nowMs = performance.now();
    if (nowMs < nextMs) return;
    nextMs = nowMs + periodMs;
    listener(message);
  };
}
