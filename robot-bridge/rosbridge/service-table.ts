import { fullName, type OperationOf } from "../protocol/operations.ts";

export type ServiceHandler = (args: Readonly<Record<string, unknown>>) => unknown | Promise<unknown>;

/** `values` is the answer, or a sentence when `result` is false: the protocol's own convention. */
export type ServiceAnswer = { readonly values: unknown; readonly result: boolean };

type Remote = { readonly provider: string; readonly forward: (call: OperationOf<"call_service">) => void };

type Pending = { readonly provider: string; readonly settle: (answer: ServiceAnswer) => void };

const defaultTimeoutMs = 10_000;

/** The services of one bridge: our own, and those that clients advertise. */
export class ServiceTable {
  private readonly local = new Map<string, ServiceHandler>();
  private readonly remote = new Map<string, Remote>();
  private readonly pending = new Map<string, Pending>();
  private calls = 0;

  provide(name: string, handler: ServiceHandler): void {
    this.local.set(fullName(name), handler);
  }

  /** A client offers `name`; our own services cannot be taken over. */
  provideRemote(name: string, provider: string, forward: Remote["forward"]): void {
    if (!this.local.has(fullName(name))) this.remote.set(fullName(name), { provider, forward });
  }

  withdraw(name: string, provider: string): void {
    if (this.remote.get(fullName(name))?.provider === provider) this.remote.delete(fullName(name));
  }

  names(): string[] {
    return [...this.local.keys(), ...this.remote.keys()];
  }

  /** Never rejects: failures are answers. */
  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    timeoutMs: number = defaultTimeoutMs,
  ): Promise<ServiceAnswer> {
    const handler = this.local.get(fullName(name));
    if (handler) {
      try {
        return { values: (await handler(args)) ?? {}, result: true };
      } catch (error) {
        return { values: error instanceof Error ? error.message : String(error), result: false };
      }
    }
    const remote = this.remote.get(fullName(name));
    if (!remote) return { values: `service ${name} does not exist`, result: false };
    return this.forward(name, remote, args, timeoutMs);
  }

  private forward(
    name: string,
    remote: Remote,
    args: Readonly<Record<string, unknown>>,
    timeoutMs: number,
  ): Promise<ServiceAnswer> {
    const id = `service_request:${name}:${++this.calls}`;
    return new Promise((resolve) => {
      const settle = (answer: ServiceAnswer) => {
        clearTimeout(timer);
        this.pending.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => {
        settle({ values: `service ${name} did not answer within ${timeoutMs} ms`, result: false });
      }, timeoutMs);
      this.pending.set(id, { provider: remote.provider, settle });
      remote.forward({ op: "call_service", id, service: name, args: { ...args } });
    });
  }

  answer({ id, values, result }: OperationOf<"service_response">, provider: string): void {
    const pending = id === undefined ? undefined : this.pending.get(id);
    if (pending?.provider === provider) pending.settle({ values, result });
  }

  forgetProvider(provider: string): void {
    for (const [name, remote] of this.remote) if (remote.provider === provider) this.remote.delete(name);
    for (const pending of [...this.pending.values()]) {
      if (pending.provider === provider) pending.settle({ values: "the service's provider went away", result: false });
    }
  }
}
