/**
 * @file A websocket server that speaks rosbridge v2 as rosbridge_suite (ROS 2) does: topics, services, fragments in.
 * Differences: it binds to this machine only unless told otherwise, refuses pages of other origins, pings its clients,
 * keeps latched messages after their publisher left, and drops data for clients that do not read.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "#core/clock.ts";
import { defaultMaxMessageBytes } from "../protocol/operations.ts";
import { rosTimeFromNs } from "../protocol/stamp.ts";
import { services as serviceNames } from "../protocol/topics.ts";
import { checkExposure, listenError, mayConnect } from "../server-access.ts";
import type { ArmServer } from "../simulation/arm-server.ts";
import { epochClock } from "../wall-clock.ts";
import { ClientSession } from "./client-session.ts";
import { type ServiceHandler, ServiceTable } from "./service-table.ts";
import { type BusMessage, type Listener, TopicBus } from "./topic-bus.ts";

export type RosbridgeServerOptions = {
  readonly port: number;
  readonly host?: string;
  /**
   * Clients must show it, as `?token=` or `Authorization: Bearer`. Required for any host but this machine: who reaches the
   * port can move the arm. Without TLS it keeps out accidents, not people who listen on the wire.
   */
  readonly token?: string;
  readonly maxMessageBytes?: number;
  /** Bytes that may wait for one client before its messages are dropped. */
  readonly maxBufferedBytes?: number;
  /** A client that answers no ping for this long is cut off. */
  readonly pingMs?: number;
  /** Nanoseconds since 1970. */
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
  /** Called with a client's name, as messages come from it, when it has gone. */
  readonly onLeave?: (name: string) => void;
};

export class RosbridgeServer implements ArmServer {
  private readonly options: Required<RosbridgeServerOptions>;
  private readonly bus = new TopicBus();
  private readonly services = new ServiceTable();
  private readonly http: Server;
  private readonly sockets: WebSocketServer;
  private readonly alive = new WeakSet<WebSocket>();
  private pinging: NodeJS.Timeout | undefined;
  private clients = 0;
  /** Messages that were not sent because a client did not read. */
  dropped = 0;

  /** @throws ConfigError when `host` can be reached from other machines and there is no token of 16 characters */
  constructor(options: RosbridgeServerOptions) {
    this.options = {
      host: "127.0.0.1",
      token: "",
      maxMessageBytes: defaultMaxMessageBytes,
      maxBufferedBytes: 8 * 1024 * 1024,
      pingMs: 5000,
      clock: epochClock(),
      log: () => undefined,
      onLeave: () => undefined,
      ...options,
    };
    checkExposure(this.options.host, this.options.token);
    this.http = createServer((_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ protocol: { major: 2, minor: 1, patch: 0 }, server: "armature" }));
    });
    this.sockets = new WebSocketServer({
      server: this.http,
      maxPayload: this.options.maxMessageBytes,
      perMessageDeflate: false,
      verifyClient: ({ req }: { req: IncomingMessage }) => this.accepts(req),
    });
    this.sockets.on("error", () => undefined);
    this.sockets.on("connection", (socket, request) => this.welcome(socket, request));
    this.provide(serviceNames.time, () => ({ time: rosTimeFromNs(this.options.clock.nowNs()) }));
    this.provide(serviceNames.topics, () => this.bus.list());
  }

  /** @throws RobotError when the port is taken or the address is not ours */
  async listen(): Promise<{ readonly port: number; readonly url: string }> {
    const { host, port, pingMs } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.http.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.http.listen(port, host, resolve);
    });
    this.pinging = setInterval(() => this.ping(), pingMs);
    this.pinging.unref();
    const bound = (this.http.address() as AddressInfo).port;
    return { port: bound, url: `ws://${host.includes(":") ? `[${host}]` : host}:${bound}` };
  }

  /** Declares a topic of our own. */
  advertise(topic: string, type: string): void {
    this.bus.advertise({ topic, type }, "local");
  }

  publish(topic: string, message: BusMessage, { latch = false } = {}): void {
    this.bus.publish(topic, message, { from: "local", id: undefined }, latch);
  }

  subscribe(topic: string, type: string, listener: Listener): () => void {
    this.bus.declareType(topic, type);
    return this.bus.subscribe(topic, listener);
  }

  /** Offers a service; what the handler throws becomes a failed answer. */
  provide(name: string, handler: ServiceHandler): void {
    this.services.provide(name, handler);
  }

  listeners(topic: string): number {
    return this.bus.listeners(topic);
  }

  async close(): Promise<void> {
    clearInterval(this.pinging);
    for (const socket of this.sockets.clients) socket.terminate();
    await new Promise<void>((resolve) => this.sockets.close(() => resolve()));
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }

  private accepts(request: IncomingMessage): boolean {
    if (mayConnect(request, this.options.token)) return true;
    const { origin = "no page" } = request.headers;
    this.options.log(`refused a client without access (${request.socket.remoteAddress}, ${origin})`);
    return false;
  }

  private welcome(socket: WebSocket, request: IncomingMessage): void {
    const { clock, log, maxMessageBytes, maxBufferedBytes, onLeave } = this.options;
    const name = `client ${++this.clients} (${request.socket.remoteAddress})`;
    request.socket.setNoDelay(true);
    const session = new ClientSession({
      name,
      bus: this.bus,
      services: this.services,
      clock,
      log,
      maxMessageBytes,
      send: (text) => {
        if (socket.readyState !== socket.OPEN) return;
        if (socket.bufferedAmount > maxBufferedBytes) this.dropped += 1;
        else socket.send(text);
      },
    });
    log(`${name}: connected`);
    this.alive.add(socket);
    socket.on("pong", () => this.alive.add(socket));
    socket.on("message", (data: Buffer) => {
      this.alive.add(socket);
      session.receive(data.toString("utf8"));
    });
    socket.on("error", (error) => log(`${name}: ${error.message}`));
    socket.on("close", (code) => {
      session.close();
      log(`${name}: closed (${code})`);
      onLeave(name);
    });
  }

  private ping(): void {
    for (const socket of this.sockets.clients) {
      if (!this.alive.has(socket)) {
        socket.terminate();
        continue;
      }
      this.alive.delete(socket);
      socket.ping();
    }
  }
}
