/**
 * @file One supervised rosbridge connection. roslib keeps what is published while the link is down and sends all of it,
 * oldest first, when the link is back (measured: 500 of 500); for an arm that is a hazard. Here every connection has its
 * own `Ros`, which is thrown away with it, `reconnect_on_close` is off, and nothing is published unless the socket is open
 * and not congested. Subscriptions are made anew on each connection.
 */
import { Ros, type RosbridgeMessage, Service, Topic } from "roslib";
import { type Clock, systemClock } from "#core/clock.ts";
import { RobotError } from "#core/errors.ts";
import type { ArmLink } from "./arm-link.ts";
import { GuardedTransport } from "./guarded-transport.ts";

export type RosLinkOptions = {
  /** ws://host:port, with `?token=` where the server asks for one. */
  readonly url: string;
  /** Word for log lines: "command link". */
  readonly name: string;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
  readonly connectTimeoutMs?: number;
  readonly silenceMs?: number;
  readonly maxBufferedBytes?: number;
  /** Pause before the first reconnection; doubles up to the longest one. */
  readonly retryMs?: number;
  readonly longestRetryMs?: number;
};

type Subscription = {
  readonly topic: string;
  readonly type: string;
  readonly listener: (message: unknown) => void;
  readonly periodMs: number;
};

type Connection = {
  readonly ros: Ros;
  readonly transport: GuardedTransport;
  readonly publishers: Map<string, Topic>;
};

export class RosLink implements ArmLink {
  private readonly options: Required<RosLinkOptions>;
  private readonly subscriptions: Subscription[] = [];
  private readonly listeners: ((change: { isUp: boolean; reason: string }) => void)[] = [];
  private readonly stop = new AbortController();
  private connection: Connection | null = null;
  private dialing: GuardedTransport | null = null;
  private supervised: Promise<void> | null = null;
  /** Messages that were not sent because the link was down or congested. */
  unsent = 0;

  constructor(options: RosLinkOptions) {
    this.options = {
      clock: systemClock,
      log: () => undefined,
      connectTimeoutMs: 3000,
      silenceMs: 1500,
      maxBufferedBytes: 64 * 1024,
      retryMs: 200,
      longestRetryMs: 5000,
      ...options,
    };
  }

  get isUp(): boolean {
    return this.connection?.transport.isOpen() ?? false;
  }

  onChange(listener: (change: { isUp: boolean; reason: string }) => void): void {
    this.listeners.push(listener);
  }

  async open(): Promise<void> {
    const { lost } = await this.connect();
    this.supervised = this.supervise(lost);
  }

  subscribe(
    topic: string,
    type: string,
    listener: (message: unknown) => void,
    { periodMs = 0 }: { readonly periodMs?: number } = {},
  ): void {
    const subscription = { topic, type, listener, periodMs };
    this.subscriptions.push(subscription);
    if (this.connection) subscribeOn(this.connection.ros, subscription);
  }

  publish(topic: string, type: string, message: unknown, { latch = false } = {}): boolean {
    const { connection } = this;
    if (!connection?.ros.isConnected || !connection.transport.isClear) {
      this.unsent += 1;
      return false;
    }
    const { ros, publishers } = connection;
    let publisher = publishers.get(topic);
    if (!publisher) {
      publisher = new Topic({ ros, name: topic, messageType: type, latch, queue_size: 1, reconnect_on_close: false });
      publishers.set(topic, publisher);
    }
    publisher.publish(message);
    return true;
  }

  call(name: string, args: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<unknown> {
    const { connection } = this;
    if (!connection?.ros.isConnected || !connection.transport.isClear) {
      return Promise.reject(new RobotError(`${name}: the link to the robot is down.`));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new RobotError(`${name}: no answer within ${timeoutMs} ms.`)), timeoutMs);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        act();
      };
      new Service({ ros: connection.ros, name, serviceType: "" }).callService(
        args,
        (values) => settle(() => resolve(values)),
        (error) => settle(() => reject(new RobotError(`${name}: the robot answered "${String(error)}".`))),
        timeoutMs / 1000,
      );
    });
  }

  async close(): Promise<void> {
    this.stop.abort();
    this.dialing?.terminate("closed");
    this.connection?.transport.close();
    await this.supervised;
  }

  /** @returns what resolves when the connection ends; @throws RobotError when there is none */
  private async connect(): Promise<{ readonly lost: Promise<void> }> {
    const { url, log, name } = this.options;
    const { ros, transport } = await this.dial(url);
    const lost = new Promise<void>((resolve) => {
      transport.on("close", (reason: string) => {
        this.connection = null;
        log(this.stop.signal.aborted ? `${name}: closed` : `${name}: lost: ${reason}`);
        this.announce(false, reason);
        resolve();
      });
    });
    this.connection = { ros, transport, publishers: new Map() };
    for (const subscription of this.subscriptions) subscribeOn(ros, subscription);
    log(`${name}: connected to ${withoutToken(url)}`);
    this.announce(true, "connected");
    return { lost };
  }

  private dial(url: string): Promise<{ ros: Ros; transport: GuardedTransport }> {
    const { clock, log, name, connectTimeoutMs, silenceMs, maxBufferedBytes } = this.options;
    return new Promise((resolve, reject) => {
      let transport: GuardedTransport;
      const fail = (cause: unknown) => {
        this.dialing = null;
        reject(connectError(url, cause));
      };
      const guard = {
        clock,
        connectTimeoutMs,
        silenceMs,
        maxBufferedBytes,
        log: (line: string) => log(`${name}: ${line}`),
      };
      const ros = new Ros({
        transportFactory: async () => {
          transport = new GuardedTransport(url, guard);
          this.dialing = transport;
          return transport;
        },
      });
      let problem: unknown;
      ros.on("error", (error: unknown) => {
        problem ??= error;
      });
      ros.on("connection", () => {
        this.dialing = null;
        resolve({ ros, transport });
      });
      ros.on("close", () => fail(problem));
      ros.connect(url).catch(fail);
    });
  }

  private async supervise(first: Promise<void>): Promise<void> {
    const { clock, retryMs, longestRetryMs, log, name } = this.options;
    const { signal } = this.stop;
    let lost: Promise<void> | null = first;
    let pauseMs = retryMs;
    while (!signal.aborted) {
      if (lost) {
        await lost;
        pauseMs = retryMs;
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      pauseMs = Math.min(2 * pauseMs, longestRetryMs);
      try {
        lost = (await this.connect()).lost;
      } catch (error) {
        if (!(error instanceof RobotError)) throw error;
        log(`${name}: ${error.message}`);
        lost = null;
      }
    }
  }

  private announce(isUp: boolean, reason: string): void {
    for (const listener of this.listeners) listener({ isUp, reason });
  }
}

/** The three connections of one arm. */
export function rosArmLinks(url: string, options: Omit<RosLinkOptions, "url" | "name"> = {}) {
  const link = (name: string) => new RosLink({ ...options, url, name });
  return { command: link("command link"), camera: link("camera link"), estop: link("e-stop link") };
}

function subscribeOn(ros: Ros, { topic, type, listener, periodMs }: Subscription): void {
  new Topic<RosbridgeMessage>({
    ros,
    name: topic,
    messageType: type,
    reconnect_on_close: false,
    throttle_rate: periodMs,
    // With a period the newest message waits for its turn; without, none waits.
    queue_length: periodMs > 0 ? 1 : 0,
  }).subscribe(listener);
}

const withoutToken = (url: string): string => url.replace(/([?&]token=)[^&]*/, "$1...");

function connectError(url: string, cause: unknown): RobotError {
  const shown = withoutToken(url);
  const { code, message = String(cause) } = (cause ?? {}) as { code?: string; message?: string };
  const advice: Readonly<Record<string, string>> = {
    ECONNREFUSED: "nothing listens there. Start rosbridge (or armature bridge simulate), or correct --robot.",
    ENOTFOUND: "the host's name is not known. Correct --robot.",
    EAI_AGAIN: "the host's name is not known. Correct --robot.",
    EHOSTUNREACH: "the host cannot be reached. Check the network and --robot.",
    ENETUNREACH: "the host cannot be reached. Check the network and --robot.",
    ECONNRESET: "the connection was cut while it was made. Is that a rosbridge server?",
  };
  const known = advice[code ?? ""];
  if (known) return new RobotError(`${shown}: ${known}`, { cause });
  if (/401/.test(message))
    return new RobotError(`${shown}: the server asks for its token. Add ?token=... to --robot.`, { cause });
  if (/timed out/.test(message)) {
    return new RobotError(`${shown}: no answer. Check the network, the port and --robot.`, { cause });
  }
  if (cause instanceof SyntaxError) {
    return new RobotError(`robot: must be a websocket address like ws://host:9090, got "${shown}". Correct --robot.`, {
      cause,
    });
  }
  return new RobotError(`${shown}: is not a rosbridge server (${message || "closed at once"}). Correct --robot.`, {
    cause,
  });
}
