import { RobotError } from "#core/errors.ts";
import type { ArmLink } from "#robot-bridge/robots/arm-link.ts";

type Change = { readonly isUp: boolean; readonly reason: string };

/** A link without a network: what is published is kept for the test, and the test says what arrives. */
export class FakeLink implements ArmLink {
  isUp = false;
  /** Nothing goes out, although the link is up. */
  isCongested = false;
  isClosed = false;
  readonly published: { readonly topic: string; readonly message: unknown; readonly latch: boolean }[] = [];
  service: (name: string) => unknown = () => {
    throw new RobotError("no such service");
  };
  private readonly listeners = new Map<string, ((message: unknown) => void)[]>();
  private readonly changes: ((change: Change) => void)[] = [];

  async open(): Promise<void> {
    this.set(true, "connected");
  }

  onChange(listener: (change: Change) => void): void {
    this.changes.push(listener);
  }

  subscribe(topic: string, _type: string, listener: (message: unknown) => void): void {
    this.listeners.set(topic, [...(this.listeners.get(topic) ?? []), listener]);
  }

  publish(topic: string, _type: string, message: unknown, { latch = false } = {}): boolean {
    if (!this.isUp || this.isCongested) return false;
    this.published.push({ topic, message, latch });
    return true;
  }

  async call(name: string): Promise<unknown> {
    return this.service(name);
  }

  async close(): Promise<void> {
    this.isUp = false;
    this.isClosed = true;
  }

  set(isUp: boolean, reason: string): void {
    if (this.isUp === isUp) return;
    this.isUp = isUp;
    for (const listener of this.changes) listener({ isUp, reason });
  }

  deliver(topic: string, message: unknown): void {
    for (const listener of this.listeners.get(topic) ?? []) listener(message);
  }

  /** Takes what was published on a topic since the last call. */
  take(topic: string): unknown[] {
    const taken = this.published.filter((entry) => entry.topic === topic).map(({ message }) => message);
    const rest = this.published.filter((entry) => entry.topic !== topic);
    this.published.splice(0, this.published.length, ...rest);
    return taken;
  }
}
