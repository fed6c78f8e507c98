import { RobotError } from "#core/errors.ts";
import { rosTimeFromNs } from "../protocol/stamp.ts";
import { services as serviceNames } from "../protocol/topics.ts";
import { type ServiceHandler, ServiceTable } from "../rosbridge/service-table.ts";
import type { BusMessage, Listener } from "../rosbridge/topic-bus.ts";
import type { ArmServer } from "../simulation/arm-server.ts";
import { MqttConnection, type MqttMessage, type MqttOptions, senderOf } from "./connection.ts";

export type MqttServerOptions = Omit<MqttOptions, "will"> & {
  /** Nanoseconds since 1970: what `/rosapi/get_time` answers. */
  readonly nowNs: () => bigint;
  readonly log?: (line: string) => void;
};

const retryMs = 500;

/** The robot's side of an MQTT broker. It dials again when the broker goes away; messages meanwhile are gone. */
export class MqttServer implements ArmServer {
  private readonly options: MqttServerOptions;
  private readonly listening = new Map<string, Set<Listener>>();
  private readonly services = new ServiceTable();
  private readonly latched = new Map<string, BusMessage>();
  private readonly stop = new AbortController();
  private connection: MqttConnection | null = null;
  private supervised: Promise<void> = Promise.resolve();

  constructor(options: MqttServerOptions) {
    this.options = options;
    this.services.provide(serviceNames.time, () => ({ time: rosTimeFromNs(options.nowNs()) }));
  }

  async listen(): Promise<{ readonly url: string }> {
    const first = await this.connect();
    this.supervised = this.supervise(first);
    return { url: this.options.url };
  }

  advertise(): void {
    // MQTT has no types and announces nothing.
  }

  publish(topic: string, message: BusMessage, { latch = false } = {}): void {
    if (latch) this.latched.set(topic, message);
    if (this.connection?.isClear(1_000_000)) this.connection.publish(topic, message, { latch });
  }

  subscribe(topic: string, _type: string, listener: Listener): () => void {
    const known = this.listening.get(topic) ?? new Set();
    this.listening.set(topic, known.add(listener));
    this.connection?.subscribe(topic, 1);
    return () => known.delete(listener);
  }

  provide(name: string, handler: ServiceHandler): void {
    this.services.provide(name, handler);
  }

  /** A broker does not say who listens. */
  listeners(): number {
    return 1;
  }

  async close(): Promise<void> {
    this.stop.abort();
    this.connection?.close();
    await this.supervised;
  }

  private async connect(): Promise<MqttConnection> {
    const connection = await MqttConnection.open(this.options, this.stop.signal);
    connection.onMessage((message) => this.receive(connection, message));
    for (const topic of this.listening.keys()) connection.subscribe(topic, 1);
    connection.subscribe("/service/#", 0);
    this.connection = connection;
    // A broker that was restarted knows nothing any more.
    for (const [topic, message] of this.latched) connection.publish(topic, message, { latch: true });
    return connection;
  }

  private async supervise(first: MqttConnection): Promise<void> {
    const { log = () => undefined } = this.options;
    const { signal } = this.stop;
    let current: MqttConnection | null = first;
    while (!signal.aborted) {
      if (current) {
        const reason = await current.lost;
        this.connection = null;
        if (!signal.aborted) log(`broker lost: ${reason}`);
      }
      if (signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      try {
        current = await this.connect();
        if (signal.aborted) current.close();
      } catch (error) {
        if (!(error instanceof RobotError)) throw error;
        current = null;
      }
    }
  }

  private receive(connection: MqttConnection, { topic, payload, packet }: MqttMessage): void {
    let message: unknown;
    try {
      message = JSON.parse(payload.toString("utf8"));
    } catch {
      this.options.log?.(`ignored on ${topic}: not JSON (${payload.length} bytes)`);
      return;
    }
    if (topic.startsWith("/service/")) {
      this.serve(connection, topic.slice("/service".length), message, packet);
      return;
    }
    const body = typeof message === "object" && message !== null ? (message as BusMessage) : {};
    const origin = { from: senderOf(packet), id: undefined };
    for (const listener of this.listening.get(topic) ?? []) listener(body, origin);
  }

  private serve(connection: MqttConnection, name: string, args: unknown, packet: MqttMessage["packet"]): void {
    const { responseTopic, correlationData } = packet.properties ?? {};
    const prefix = this.options.prefix;
    if (!responseTopic?.startsWith(`${prefix}/`)) return;
    const given = typeof args === "object" && args !== null ? (args as Record<string, unknown>) : {};
    void this.services.call(name, given).then(({ values, result }) => {
      const correlation = correlationData?.toString() ?? "";
      if (connection.isOpen)
        connection.publish(responseTopic.slice(prefix.length), { values, result }, { correlation });
    });
  }
}
