/** @file One client of the bridge: its operations in, its subscriptions out. Knows no socket, only `send`. */
import type { Clock } from "#core/clock.ts";
import { FormatError } from "#core/errors.ts";
import { FragmentAssembler } from "../protocol/fragments.ts";
import {
  decodeOperation,
  encodeOperation,
  fullName,
  type Operation,
  type OperationOf,
  type UnknownOperation,
} from "../protocol/operations.ts";
import { msFromNs } from "../protocol/stamp.ts";
import type { ServiceTable } from "./service-table.ts";
import { mergeSubscriptions, type SubscriptionOptions, SubscriptionQueue } from "./subscription-queue.ts";
import type { BusMessage, TopicBus } from "./topic-bus.ts";

type Subscription = {
  readonly ids: Map<string, SubscriptionOptions>;
  readonly queue: SubscriptionQueue<BusMessage>;
  readonly stop: () => void;
  timer: NodeJS.Timeout | undefined;
};

export type SessionOptions = {
  readonly name: string;
  readonly bus: TopicBus;
  readonly services: ServiceTable;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  /** Hands one text to the socket; may drop it when the client is too slow. */
  readonly send: (text: string) => void;
  readonly log: (line: string) => void;
};

export class ClientSession {
  readonly name: string;
  private readonly options: SessionOptions;
  private readonly fragments: FragmentAssembler;
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly latchedTopics = new Set<string>();
  private readonly warned = new Set<string>();
  private closed = false;

  constructor(options: SessionOptions) {
    this.options = options;
    this.name = options.name;
    this.fragments = new FragmentAssembler({
      maxBytes: options.maxMessageBytes,
      maxMessages: 16,
      timeoutMs: 10_000,
    });
  }

  /** Takes one text frame. Anything that is not understood is logged and ignored, as the real server does. */
  receive(text: string): void {
    try {
      this.perform(decodeOperation(text, this.options.maxMessageBytes));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.options.log(`${this.name}: ignored: ${error.message}`);
    }
  }

  close(): void {
    this.closed = true;
    for (const subscription of this.subscriptions.values()) {
      subscription.stop();
      clearTimeout(subscription.timer);
    }
    this.subscriptions.clear();
    this.options.bus.forgetPublisher(this.name);
    this.options.services.forgetProvider(this.name);
  }

  private perform(operation: Operation | UnknownOperation): void {
    const { bus, services } = this.options;
    switch (operation.op) {
      case "advertise":
        this.advertise(operation);
        break;
      case "unadvertise":
        bus.unadvertise(operation.topic, this.name);
        this.latchedTopics.delete(fullName(operation.topic));
        break;
      case "publish":
        this.publish(operation);
        break;
      case "subscribe":
        this.subscribe(operation);
        break;
      case "unsubscribe":
        this.unsubscribe(operation);
        break;
      case "call_service":
        this.callService(operation);
        break;
      case "advertise_service":
        services.provideRemote(operation.service, this.name, (call) => this.send(call));
        break;
      case "unadvertise_service":
        services.withdraw(operation.service, this.name);
        break;
      case "service_response":
        services.answer(operation, this.name);
        break;
      case "fragment": {
        const whole = this.fragments.add(operation, this.options.clock.nowNs());
        if (whole !== null) this.receive(whole);
        break;
      }
      case "status":
        this.options.log(`${this.name}: status ${operation.level}: ${operation.msg.slice(0, 200)}`);
        break;
      case "unknown":
        this.warnOnce(`unknown operation "${operation.name}" ignored`);
    }
  }

  private advertise(operation: OperationOf<"advertise">): void {
    if (!this.options.bus.advertise(operation, this.name)) {
      this.options.log(`${this.name}: ${operation.topic} has another type than ${operation.type}: ignored`);
      return;
    }
    if (operation.latch) this.latchedTopics.add(fullName(operation.topic));
  }

  private publish({ topic, msg, id, latch }: OperationOf<"publish">): void {
    const isLatched = latch === true || this.latchedTopics.has(fullName(topic));
    this.options.bus.publish(topic, msg, { from: this.name, id }, isLatched);
  }

  private subscribe(operation: OperationOf<"subscribe">): void {
    const { bus } = this.options;
    if (operation.type !== undefined && !bus.declareType(operation.topic, operation.type)) {
      this.options.log(`${this.name}: ${operation.topic} has another type than ${operation.type}: ignored`);
      return;
    }
    if (operation.compression !== undefined && operation.compression !== "none") {
      this.warnOnce(`compression "${operation.compression}" is not spoken here; ${operation.topic} goes out as JSON`);
    }
    const wanted = { throttleMs: operation.throttle_rate ?? 0, queueLength: operation.queue_length ?? 0 };
    const key = operation.topic;
    const known = this.subscriptions.get(key);
    if (known) {
      known.ids.set(operation.id ?? "", wanted);
      known.queue.options = mergeSubscriptions([...known.ids.values()]);
      return;
    }
    const queue = new SubscriptionQueue<BusMessage>(wanted);
    const ids = new Map([[operation.id ?? "", wanted]]);
    const subscription: Subscription = { ids, queue, stop: () => stop(), timer: undefined };
    this.subscriptions.set(key, subscription);
    const stop = bus.subscribe(key, (message) => {
      const now = queue.push(message, this.options.clock.nowNs());
      if (now !== null) this.deliver(key, now);
      else this.wait(key, subscription);
    });
  }

  private wait(topic: string, subscription: Subscription): void {
    const dueNs = subscription.queue.dueNs();
    if (dueNs === null || subscription.timer !== undefined || this.closed) return;
    const { clock } = this.options;
    const delayMs = Math.max(0, Math.ceil(msFromNs(dueNs - clock.nowNs())));
    subscription.timer = setTimeout(() => {
      subscription.timer = undefined;
      const message = subscription.queue.pull(clock.nowNs());
      if (message !== null) this.deliver(topic, message);
      this.wait(topic, subscription);
    }, delayMs);
  }

  private deliver(topic: string, message: BusMessage): void {
    this.send({ op: "publish", topic, msg: message });
  }

  /** Without an id, or with the last one, the topic falls silent. */
  private unsubscribe({ topic, id }: OperationOf<"unsubscribe">): void {
    const subscription = this.subscriptions.get(topic);
    if (!subscription) return;
    if (id === undefined) subscription.ids.clear();
    else subscription.ids.delete(id);
    if (subscription.ids.size > 0) {
      subscription.queue.options = mergeSubscriptions([...subscription.ids.values()]);
      return;
    }
    subscription.stop();
    clearTimeout(subscription.timer);
    this.subscriptions.delete(topic);
  }

  private callService(operation: OperationOf<"call_service">): void {
    const { service, id } = operation;
    const timeoutMs = operation.timeout && operation.timeout > 0 ? operation.timeout * 1000 : undefined;
    const args = Array.isArray(operation.args) ? {} : (operation.args ?? {});
    void this.options.services.call(service, args, timeoutMs).then(({ values, result }) => {
      this.send({ op: "service_response", ...(id === undefined ? {} : { id }), service, values, result });
    });
  }

  private send(operation: Operation): void {
    if (!this.closed) this.options.send(encodeOperation(operation));
  }

  private warnOnce(line: string): void {
    if (this.warned.has(line) || this.warned.size > 100) return;
    this.warned.add(line);
    this.options.log(`${this.name}: ${line}`);
  }
}
