import { type Clock, systemClock } from "#core/clock.ts";
import { RobotError } from "#core/errors.ts";
import type { ArmLink } from "./arm-link.ts";

/** One live connection of some transport. It ends once and is thrown away then, with all that it may still hold. */
export type LinkConnection = {
  readonly isOpen: boolean;
  /** True when a message that is published now goes out now. */
  readonly isClear: boolean;
  subscribe(topic: string, type: string, listener: (message: unknown) => void, periodMs: number): void;
  publish(topic: string, type: string, message: unknown, latch: boolean): void;
  /** @throws RobotError when the other side says no */
  call(service: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Resolves when the connection has ended, with the reason. */
  readonly lost: Promise<string>;
  close(): void;
};

export type SupervisionOptions = {
  /** Word for log lines: "command link". */
  readonly name: string;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
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

/**
 * A link that keeps itself up: it dials again after a loss and makes its subscriptions anew. What is published while it is
 * down or congested is counted and gone, whatever queues the transport's library has.
 */
export class SupervisedLink implements ArmLink {
  private readonly options: Required<SupervisionOptions>;
  private readonly dial: (signal: AbortSignal) => Promise<LinkConnection>;
  private readonly subscriptions: Subscription[] = [];
  private readonly listeners: ((change: { isUp: boolean; reason: string }) => void)[] = [];
  private readonly stop = new AbortController();
  private connection: LinkConnection | null = null;
  private supervised: Promise<void> | null = null;
  /** Messages that were not sent because the link was down or congested. */
  unsent = 0;

  /** @param dial makes one connection; rejects with a RobotError in one sentence, at once when its signal fires */
  constructor(dial: (signal: AbortSignal) => Promise<LinkConnection>, options: SupervisionOptions) {
    this.dial = dial;
    this.options = { clock: systemClock, log: () => undefined, retryMs: 200, longestRetryMs: 5000, ...options };
  }

  get isUp(): boolean {
    return this.connection?.isOpen ?? false;
  }

  onChange(listener: (change: { isUp: boolean; reason: string }) => void): void {
    this.listeners.push(listener);
  }

  async open(): Promise<void> {
    this.supervised = this.supervise(await this.connect());
  }

  subscribe(
    topic: string,
    type: string,
    listener: (message: unknown) => void,
    { periodMs = 0 }: { readonly periodMs?: number } = {},
  ): void {
    this.subscriptions.push({ topic, type, listener, periodMs });
    this.connection?.subscribe(topic, type, listener, periodMs);
  }

  publish(topic: string, type: string, message: unknown, { latch = false } = {}): boolean {
    const { connection } = this;
    if (!connection?.isClear) {
      this.unsent += 1;
      return false;
    }
    connection.publish(topic, type, message, latch);
    return true;
  }

  async call(service: string, args: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<unknown> {
    const { connection } = this;
    if (!connection?.isClear) throw new RobotError(`${service}: the link to the robot is down.`);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new RobotError(`${service}: no answer within ${timeoutMs} ms.`)), timeoutMs);
    });
    try {
      return await Promise.race([connection.call(service, args), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    this.stop.abort();
    this.connection?.close();
    await this.supervised;
  }

  private async connect(): Promise<LinkConnection> {
    const { log, name } = this.options;
    const connection = await this.dial(this.stop.signal);
    void connection.lost.then((reason) => {
      this.connection = null;
      log(this.stop.signal.aborted ? `${name}: closed` : `${name}: lost: ${reason}`);
      this.announce(false, reason);
    });
    this.connection = connection;
    for (const { topic, type, listener, periodMs } of this.subscriptions) {
      connection.subscribe(topic, type, listener, periodMs);
    }
    log(`${name}: connected`);
    this.announce(true, "connected");
    return connection;
  }

  private async supervise(first: LinkConnection): Promise<void> {
    const { clock, retryMs, longestRetryMs, log, name } = this.options;
    const { signal } = this.stop;
    let current: LinkConnection | null = first;
    let pauseMs = retryMs;
    for (;;) {
      if (current) {
        await current.lost;
        pauseMs = retryMs;
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      pauseMs = Math.min(2 * pauseMs, longestRetryMs);
      try {
        current = await this.connect();
        if (signal.aborted) current.close();
      } catch (error) {
        if (!(error instanceof RobotError)) throw error;
        log(`${name}: ${error.message}`);
        current = null;
      }
    }
  }

  private announce(isUp: boolean, reason: string): void {
    for (const listener of this.listeners) listener({ isUp, reason });
  }
}
