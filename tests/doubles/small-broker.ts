import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type IConnectPacket, type IPublishPacket, type Packet, parser, writeToStream } from "mqtt-packet";

type Client = {
  readonly socket: Socket;
  readonly filters: Set<string>;
  will: IConnectPacket["will"];
  keepaliveMs: number;
  heardMs: number;
};

const protocol = { protocolVersion: 5 as const };

const matches = (filter: string, topic: string): boolean => {
  const parts = filter.split("/");
  const words = topic.split("/");
  for (const [index, part] of parts.entries()) {
    if (part === "#") return true;
    if (part !== "+" && part !== words[index]) return false;
  }
  return parts.length === words.length;
};

/**
 * As much of an MQTT 5 broker as the bridge's tests need: topics with wildcards, retained messages, QoS 0 and 1 from
 * publishers (delivered at QoS 0), wills, keepalive at one and a half times its value.
 */
export class SmallBroker {
  private readonly server: Server;
  private readonly clients = new Set<Client>();
  private readonly retained = new Map<string, IPublishPacket>();
  private readonly watch: NodeJS.Timeout;
  /** Everything that was published, by topic. */
  readonly published: { readonly topic: string; readonly text: string }[] = [];

  constructor() {
    this.server = createServer((socket) => this.welcome(socket));
    this.watch = setInterval(() => this.dropSilent(), 50);
  }

  async listen(port = 0): Promise<number> {
    this.server.listen(port, "127.0.0.1");
    await once(this.server, "listening");
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    clearInterval(this.watch);
    for (const { socket } of this.clients) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private welcome(socket: Socket): void {
    const client: Client = { socket, filters: new Set(), will: undefined, keepaliveMs: 0, heardMs: performance.now() };
    this.clients.add(client);
    socket.setNoDelay(true);
    const reader = parser(protocol);
    reader.on("packet", (packet: Packet) => this.handle(client, packet));
    reader.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      client.heardMs = performance.now();
      reader.parse(bytes);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.clients.delete(client);
      const { will } = client;
      if (will) this.publish({ cmd: "publish", dup: false, qos: 0, retain: false, ...will, properties: {} });
    });
  }

  private handle(client: Client, packet: Packet): void {
    const send = (reply: Packet) => writeToStream(reply, client.socket, protocol);
    switch (packet.cmd) {
      case "connect":
        client.will = packet.will;
        client.keepaliveMs = 1000 * (packet.keepalive ?? 0);
        send({ cmd: "connack", sessionPresent: false, reasonCode: 0 });
        break;
      case "subscribe":
        send({ cmd: "suback", messageId: packet.messageId!, granted: packet.subscriptions.map(() => 0) });
        for (const { topic } of packet.subscriptions) {
          client.filters.add(topic);
          for (const [name, message] of this.retained) if (matches(topic, name)) send({ ...message, retain: true });
        }
        break;
      case "publish":
        if (packet.qos > 0) send({ cmd: "puback", messageId: packet.messageId!, reasonCode: 0 });
        this.publish(packet);
        break;
      case "pingreq":
        send({ cmd: "pingresp" });
        break;
      case "disconnect":
        client.will = undefined;
        client.socket.end();
        break;
      default:
    }
  }

  private publish(packet: IPublishPacket): void {
    const { topic, payload, properties } = packet;
    this.published.push({ topic, text: String(payload) });
    const message: IPublishPacket = {
      cmd: "publish",
      topic,
      payload,
      qos: 0,
      dup: false,
      retain: false,
      ...(properties ? { properties } : {}),
    };
    if (packet.retain) this.retained.set(topic, message);
    for (const { filters, socket } of this.clients) {
      if ([...filters].some((filter) => matches(filter, topic))) writeToStream(message, socket, protocol);
    }
  }

  private dropSilent(): void {
    for (const { keepaliveMs, heardMs, socket } of this.clients) {
      if (keepaliveMs > 0 && performance.now() - heardMs > 1.5 * keepaliveMs) socket.destroy();
    }
  }
}
