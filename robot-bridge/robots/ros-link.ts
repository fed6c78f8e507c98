/**
 * @file rosbridge connections over roslib. roslib keeps what is published while the link is down and sends all of it,
 * oldest first, when the link is back (measured: 500 of 500); for an arm that is a hazard. Here every connection has its
 * own `Ros`, which is thrown away with it, `reconnect_on_close` is off, and `SupervisedLink` publishes nothing unless the
 * socket is open and not congested.
 */
import { Ros, Service, Topic } from "roslib";
import { systemClock } from "#core/clock.ts";
import { RobotError } from "#core/errors.ts";
import { GuardedTransport } from "./guarded-transport.ts";
import { type LinkConnection, SupervisedLink, type SupervisionOptions } from "./supervised-link.ts";

export type RosLinkOptions = SupervisionOptions & {
  /** ws://host:port, with `?token=` where the server asks for one. */
  readonly url: string;
  readonly connectTimeoutMs?: number;
  readonly silenceMs?: number;
  readonly maxBufferedBytes?: number;
};

/** A supervised connection to a rosbridge server. */
export class RosLink extends SupervisedLink {
  constructor(options: RosLinkOptions) {
    super((signal) => dialRos(options, signal), options);
  }
}

/** The three connections of one arm. */
export function rosArmLinks(url: string, options: Omit<RosLinkOptions, "url" | "name"> = {}) {
  const link = (name: string) => new RosLink({ ...options, url, name });
  return { command: link("command link"), camera: link("camera link"), estop: link("e-stop link") };
}

function dialRos(options: RosLinkOptions, signal: AbortSignal): Promise<LinkConnection> {
  const { url, name, log = () => undefined, clock = systemClock } = options;
  const { connectTimeoutMs = 3000, silenceMs = 1500, maxBufferedBytes = 64 * 1024 } = options;
  const guard = {
    clock,
    connectTimeoutMs,
    silenceMs,
    maxBufferedBytes,
    log: (line: string) => log(`${name}: ${line}`),
  };
  return new Promise((resolve, reject) => {
    let transport: GuardedTransport | undefined;
    let problem: unknown;
    const ros = new Ros({
      transportFactory: async () => {
        transport = new GuardedTransport(url, guard);
        return transport;
      },
    });
    const stop = () => transport?.terminate("closed");
    signal.addEventListener("abort", stop, { once: true });
    const fail = (cause: unknown) => {
      signal.removeEventListener("abort", stop);
      reject(connectError(url, cause));
    };
    ros.on("error", (error: unknown) => {
      problem ??= error;
    });
    ros.on("close", () => fail(problem));
    ros.on("connection", () => {
      signal.removeEventListener("abort", stop);
      resolve(rosConnection(ros, transport!));
    });
    ros.connect(url).catch(fail);
  });
}

function rosConnection(ros: Ros, transport: GuardedTransport): LinkConnection {
  const publishers = new Map<string, Topic>();
  return {
    get isOpen() {
      return transport.isOpen();
    },
    get isClear() {
      return ros.isConnected && transport.isClear;
    },
    lost: new Promise((resolve) => transport.on("close", resolve)),
    close: () => transport.close(),
    subscribe(name, messageType, listener, periodMs) {
      // With a period the newest message waits for its turn; without, none waits.
      const thinning = { throttle_rate: periodMs, queue_length: periodMs > 0 ? 1 : 0 };
      new Topic({ ros, name, messageType, reconnect_on_close: false, ...thinning }).subscribe(listener);
    },
    publish(name, messageType, message, latch) {
      let publisher = publishers.get(name);
      if (!publisher) {
        publisher = new Topic({ ros, name, messageType, latch, queue_size: 1, reconnect_on_close: false });
        publishers.set(name, publisher);
      }
      publisher.publish(message);
    },
    call: (name, args) =>
      new Promise((resolve, reject) => {
        const fail = (error: unknown) => reject(new RobotError(`${name}: the robot answered "${String(error)}".`));
        new Service({ ros, name, serviceType: "" }).callService(args, resolve, fail);
      }),
  };
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
