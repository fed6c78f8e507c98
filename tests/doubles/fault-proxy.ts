import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

type Direction = "up" | "down";

/** Cuts a stream of websocket bytes into its handshake and whole frames. */
class FrameSplitter {
  private rest = Buffer.alloc(0);
  private isOpen = false;

  /** Streams that are not websockets pass as they come. */
  private isForeign: boolean | null = null;

  push(bytes: Buffer): Buffer[] {
    this.isForeign ??= bytes.subarray(0, 4).toString("latin1") !== "GET ";
    if (this.isForeign) return [bytes];
    this.rest = Buffer.concat([this.rest, bytes]);
    const whole: Buffer[] = [];
    for (let length = this.nextLength(); length > 0 && this.rest.length >= length; length = this.nextLength()) {
      whole.push(this.rest.subarray(0, length));
      this.rest = this.rest.subarray(length);
    }
    return whole;
  }

  private nextLength(): number {
    if (!this.isOpen) {
      const end = this.rest.indexOf("\r\n\r\n");
      if (end < 0) return 0;
      this.isOpen = true;
      return end + 4;
    }
    if (this.rest.length < 2) return 0;
    const short = this.rest[1]! & 0x7f;
    const mask = this.rest[1]! & 0x80 ? 4 : 0;
    if (short < 126) return 2 + mask + short;
    if (short === 126) return this.rest.length < 4 ? 0 : 4 + mask + this.rest.readUInt16BE(2);
    return this.rest.length < 10 ? 0 : 10 + mask + Number(this.rest.readBigUInt64BE(2));
  }
}

/**
 * A bad network between a client and a server on this machine. All faults act on TCP bytes; "up" is from client to server.
 */
export class FaultProxy {
  private readonly targetPort: number;
  private readonly server: Server;
  private readonly pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  private readonly kept: (() => void)[] = [];
  private readonly stalled = new Set<Direction>();
  private readonly swallowed = new Set<Direction>();
  private refusing = false;
  private delayMs = 0;
  private swapping = false;

  constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.server = createServer((client) => this.welcome(client));
  }

  async listen(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends all connections and refuses new ones until `restore`. */
  cut(): void {
    this.refusing = true;
    for (const { client, upstream } of this.pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** The network is well again; bytes that were kept back arrive now, all at once. */
  restore(): void {
    this.refusing = false;
    this.delayMs = 0;
    this.swapping = false;
    this.stalled.clear();
    this.swallowed.clear();
    for (const deliver of this.kept.splice(0)) deliver();
  }

  /** Connections stay open, bytes wait. */
  stall(...directions: Direction[]): void {
    for (const direction of directions) this.stalled.add(direction);
  }

  /** Half-open: connections stay open, bytes vanish. Only a cut helps afterwards. */
  swallow(...directions: Direction[]): void {
    for (const direction of directions) this.swallowed.add(direction);
  }

  delay(durationMs: number): void {
    this.delayMs = durationMs;
  }

  /** Swaps every two messages from client to server. */
  swapMessages(): void {
    this.swapping = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private welcome(client: Socket): void {
    if (this.refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(this.targetPort, "127.0.0.1");
    const pair = { client, upstream };
    this.pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("error", () => undefined);
      from.on("close", () => {
        to.destroy();
        this.pairs.delete(pair);
      });
    }
    const splitter = new FrameSplitter();
    let held: Buffer | null = null;
    client.on("data", (bytes) => {
      for (const frame of splitter.push(bytes)) {
        if (!this.swapping && !held) this.pass("up", upstream, frame);
        else if (held) {
          this.pass("up", upstream, frame);
          this.pass("up", upstream, held);
          held = null;
        } else held = frame;
      }
    });
    upstream.on("data", (bytes) => this.pass("down", client, bytes));
  }

  private pass(direction: Direction, to: Socket, bytes: Buffer): void {
    if (this.swallowed.has(direction)) return;
    const deliver = () => {
      if (!to.destroyed) to.write(bytes);
    };
    if (this.stalled.has(direction)) this.kept.push(deliver);
    else if (this.delayMs > 0) setTimeout(deliver, this.delayMs);
    else deliver();
  }
}
