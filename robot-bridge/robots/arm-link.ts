/**
 * What an arm needs of its transport. A link keeps itself up: it reconnects and subscribes again on its own. It never
 * keeps a message for later: what cannot go out now is not sent.
 */
export interface ArmLink {
  readonly isUp: boolean;
  /** Connects for the first time. @throws RobotError in one sentence when that fails */
  open(): Promise<void>;
  /** Called after each connection and each loss. */
  onChange(listener: (change: { readonly isUp: boolean; readonly reason: string }) => void): void;
  /** Listens, over all reconnections. @param options.periodMs least time between two messages; the newest one counts */
  subscribe(
    topic: string,
    type: string,
    listener: (message: unknown) => void,
    options?: { readonly periodMs?: number },
  ): void;
  /** @returns whether the message went out; it never goes out later */
  publish(topic: string, type: string, message: unknown, options?: { readonly latch?: boolean }): boolean;
  /** Asks a service. @throws RobotError when there is no answer in time */
  call(service: string, args: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<unknown>;
  close(): Promise<void>;
}
