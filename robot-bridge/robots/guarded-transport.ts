/**
 * @file The socket under roslib. Its own transports lose fragments that the ROS 2 server sends (their id is 0), wait on a
 * dead link for as long as TCP does, and let unsent bytes pile up; this one does none of that.
 */
import type { ITransport, RosbridgeMessage } from "roslib";
import { WebSocket } from "ws";
import type { Clock } from "#core/clock.ts";
import { FormatError } from "#core/errors.ts";
import { FragmentAssembler } from "../protocol/fragments.ts";
import { checkOperation, decodeOperation } from "../protocol/operations.ts";
import { msFromNs } from "../protocol/stamp.ts";

export type GuardedTransportOptions = {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** A server that says nothing for this long, not even to pings, is gone. */
  readonly silenceMs: number;
  /** Unsent bytes beyond which nothing more is handed to the socket. */
  readonly maxBufferedBytes: number;
  readonly log: (line: string) => void;
};

type Listener = (argument: never) => void;

/** A picture of 12 MB as base64, and the rest of its message. */
const maxMessageBytes = 20_000_000;

export class GuardedTransport implements ITransport {
  private readonly socket: WebSocket;
  private readonly options: GuardedTransportOptions;
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly fragments = new FragmentAssembler({ maxBytes: maxMessageBytes, maxMessages: 8, timeoutMs: 10_000 });
  private readonly watch: NodeJS.Timeout;
  private heardNs: bigint;
  private lost = "";

  /** @throws SyntaxError when `url` is not a websocket address */
  constructor(url: string, options: GuardedTransportOptions) {
    this.options = options;
    const { connectTimeoutMs, silenceMs, clock } = options;
    this.socket = new WebSocket(url, {
      handshakeTimeout: connectTimeoutMs,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
    });
    this.heardNs = clock.nowNs();
    this.watch = setInterval(() => this.checkSilence(), silenceMs / 4);
    this.watch.unref();
    this.socket.on("upgrade", (response) => response.socket.setNoDelay(true));
    this.socket.on("open", () => {
      this.heardNs = clock.nowNs();
      this.emit("open", undefined);
    });
    this.socket.on("pong", () => {
      this.heardNs = clock.nowNs();
    });
    this.socket.on("message", (data) => this.receive(String(data)));
    this.socket.on("error", (error) => this.emit("error", error));
    this.socket.on("close", (code) => {
      clearInterval(this.watch);
      this.emit("close", this.lost || `the server closed the connection (${code})`);
    });
  }

  /** True when a message that is sent now goes out now. */
  get isClear(): boolean {
    return this.isOpen() && this.socket.bufferedAmount <= this.options.maxBufferedBytes;
  }

  on(event: string, listener: Listener): this {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(listener));
    return this;
  }

  /** Sends now or not at all. */
  send(message: RosbridgeMessage): void {
    if (this.isClear) this.socket.send(JSON.stringify(message));
  }

  close(): void {
    this.socket.close(1000);
    // A peer that is gone does not answer the closing handshake.
    setTimeout(() => this.socket.terminate(), 250).unref();
  }

  /** Lets go at once: unsent bytes are thrown away. */
  terminate(reason: string): void {
    this.lost ||= reason;
    this.socket.terminate();
  }

  isConnecting(): boolean {
    return this.socket.readyState === WebSocket.CONNECTING;
  }

  isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  isClosing(): boolean {
    return this.socket.readyState === WebSocket.CLOSING;
  }

  isClosed(): boolean {
    return this.socket.readyState === WebSocket.CLOSED;
  }

  private emit(event: string, argument: unknown): void {
    for (const listener of this.listeners.get(event) ?? []) listener(argument as never);
  }

  private receive(text: string): void {
    this.heardNs = this.options.clock.nowNs();
    try {
      const operation = decodeOperation(text, maxMessageBytes);
      if (operation.op !== "fragment") this.emit("message", operation);
      else {
        const whole = this.fragments.add(operation, this.heardNs);
        if (whole !== null) this.emit("message", checkOperation(JSON.parse(whole)));
      }
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof SyntaxError)) throw error;
      this.options.log(`ignored: ${error.message}`);
    }
  }

  private checkSilence(): void {
    if (!this.isOpen()) return;
    const silentMs = msFromNs(this.options.clock.nowNs() - this.heardNs);
    if (silentMs > this.options.silenceMs) this.terminate(`the server was silent for ${Math.round(silentMs)} ms`);
    else this.socket.ping();
  }
}
