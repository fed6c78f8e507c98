import { nsFromMs } from "../protocol/stamp.ts";

export type SubscriptionOptions = { readonly throttleMs: number; readonly queueLength: number };

/**
 * Several subscriptions of one client to one topic share one stream: the ROS 2 server takes the smallest of each option
 * (its protocol text says the largest queue; its code is followed).
 */
export function mergeSubscriptions(all: readonly SubscriptionOptions[]): SubscriptionOptions {
  return {
    throttleMs: Math.min(...all.map(({ throttleMs }) => throttleMs)),
    queueLength: Math.min(...all.map(({ queueLength }) => queueLength)),
  };
}

/**
 * What may go out now. Without a queue a message inside the throttle window is dropped; with one, the newest
 * `queueLength` messages wait for their turn.
 */
export class SubscriptionQueue<Message> {
  options: SubscriptionOptions;
  private readonly waiting: Message[] = [];
  private nextNs: bigint | null = null;
  dropped = 0;

  constructor(options: SubscriptionOptions) {
    this.options = options;
  }

  /** @returns the message when it may go now, else null: it waits or was dropped */
  push(message: Message, nowNs: bigint): Message | null {
    const isFree = this.options.throttleMs === 0 || this.nextNs === null || nowNs >= this.nextNs;
    if (isFree && this.waiting.length === 0) return this.send(message, nowNs);
    if (this.options.queueLength === 0) {
      this.dropped += 1;
      return null;
    }
    this.waiting.push(message);
    if (this.waiting.length > this.options.queueLength) {
      this.waiting.shift();
      this.dropped += 1;
    }
    return null;
  }

  /** When the next waiting message is due, or null when none waits. */
  dueNs(): bigint | null {
    return this.waiting.length === 0 ? null : this.nextNs;
  }

  /** Takes the oldest waiting message if its time has come. */
  pull(nowNs: bigint): Message | null {
    if (this.waiting.length === 0 || (this.nextNs !== null && nowNs < this.nextNs)) return null;
    return this.send(this.waiting.shift() as Message, nowNs);
  }

  private send(message: Message, nowNs: bigint): Message {
    this.nextNs = nowNs + nsFromMs(this.options.throttleMs);
    return message;
  }
}
