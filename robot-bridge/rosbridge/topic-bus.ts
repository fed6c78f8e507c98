/** @file Who publishes and who listens: the topics of one bridge, apart from any socket. */

import { sameType } from "../protocol/messages.ts";
import { fullName, type OperationOf } from "../protocol/operations.ts";

export type BusMessage = Readonly<Record<string, unknown>>;

/** `from` names the client that sent the message, or is "local"; `id` is the publish operation's own. */
export type Origin = { readonly from: string; readonly id: string | undefined };

export type Listener = (message: BusMessage, origin: Origin) => void;

type Topic = {
  type: string | undefined;
  readonly listeners: Set<Listener>;
  readonly publishers: Set<string>;
  latched: { readonly message: BusMessage; readonly origin: Origin } | undefined;
};

/**
 * Latched topics keep their last message for listeners that come later, and keep it when the publisher leaves (the real
 * server forgets it then): an e-stop outlives the process that sent it.
 */
export class TopicBus {
  private readonly topics = new Map<string, Topic>();

  private topic(name: string): Topic {
    const key = fullName(name);
    const known = this.topics.get(key);
    if (known) return known;
    const made: Topic = { type: undefined, listeners: new Set(), publishers: new Set(), latched: undefined };
    this.topics.set(key, made);
    return made;
  }

  /** @returns false when the topic has another type already */
  declareType(name: string, type: string): boolean {
    const topic = this.topic(name);
    if (topic.type !== undefined && !sameType(topic.type, type)) return false;
    topic.type ??= type;
    return true;
  }

  advertise({ topic: name, type }: Pick<OperationOf<"advertise">, "topic" | "type">, publisher: string): boolean {
    if (!this.declareType(name, type)) return false;
    this.topic(name).publishers.add(publisher);
    return true;
  }

  unadvertise(name: string, publisher: string): void {
    this.topics.get(fullName(name))?.publishers.delete(publisher);
  }

  publish(name: string, message: BusMessage, origin: Origin, latch = false): void {
    const topic = this.topic(name);
    if (latch) topic.latched = { message, origin };
    for (const listener of [...topic.listeners]) listener(message, origin);
  }

  /** @returns how to stop listening. A latched message arrives before this returns. */
  subscribe(name: string, listener: Listener): () => void {
    const topic = this.topic(name);
    topic.listeners.add(listener);
    if (topic.latched) listener(topic.latched.message, topic.latched.origin);
    return () => {
      topic.listeners.delete(listener);
    };
  }

  /** Names and types of all topics that somebody declared. */
  list(): { readonly topics: string[]; readonly types: string[] } {
    const rows = [...this.topics].filter(([, topic]) => topic.type !== undefined);
    return { topics: rows.map(([name]) => name), types: rows.map(([, topic]) => topic.type ?? "") };
  }

  /** How many listeners a topic has: publishers of pictures ask before they render. */
  listeners(name: string): number {
    return this.topics.get(fullName(name))?.listeners.size ?? 0;
  }

  forgetPublisher(publisher: string): void {
    for (const topic of this.topics.values()) topic.publishers.delete(publisher);
  }
}
