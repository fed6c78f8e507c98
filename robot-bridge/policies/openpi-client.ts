/**
 * @file A policy that runs elsewhere, behind openpi's websocket protocol. The protocol has no ids: an answer that comes
 * after its question was given up would be taken for the next one's. So giving up closes the connection, and the next
 * question opens another.
 */
import { WebSocket } from "ws";
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy, PolicySpec } from "#core/contracts/policy.ts";
import { ConfigError, FormatError, UserError } from "#core/errors.ts";
import { type Packable, packNumpy, unpackNumpy } from "./msgpack-numpy.ts";
import { type NumpyArray, numpyArray, numpyFromImage, toFloat32 } from "./numpy.ts";
import { type ObservationKeys, openpiKeys } from "./observation-keys.ts";
import { decodePolicySpec } from "./policy-spec.ts";

export type OpenpiClientOptions = {
  /** ws://host:8000 */
  readonly url: string;
  readonly token?: string;
  /** What the policy is; needed for servers that do not say it, as openpi's own. */
  readonly spec?: PolicySpec;
  readonly keys?: ObservationKeys;
  readonly connectTimeoutMs?: number;
};

type Connection = {
  readonly socket: WebSocket;
  readonly metadata: Packable;
  /** The next frame; rejects when the connection ends first. */
  readonly next: () => Promise<Packable>;
};

const largestMessage = 64 * 1024 * 1024;

export class OpenpiPolicy implements Policy {
  readonly spec: PolicySpec;
  private readonly options: OpenpiClientOptions;
  private readonly keys: ObservationKeys;
  private connection: Connection | null;
  private isAsking = false;

  private constructor(options: OpenpiClientOptions, spec: PolicySpec, connection: Connection) {
    this.options = options;
    this.spec = spec;
    this.keys = options.keys ?? openpiKeys(spec);
    this.connection = connection;
  }

  /**
   * Connects and reads what the policy is.
   *
   * @throws UserError when there is no such server @throws ConfigError when nobody says what its actions mean
   */
  static async open(options: OpenpiClientOptions): Promise<OpenpiPolicy> {
    const connection = await connect(options);
    const { metadata } = connection;
    const said = typeof metadata === "object" && metadata !== null && "armature" in metadata ? metadata.armature : null;
    if (!options.spec && !said) {
      connection.socket.terminate();
      throw new ConfigError(
        `${options.url}: the server does not say what its actions mean. Describe cameras, action space and rate.`,
      );
    }
    return new OpenpiPolicy(options, options.spec ?? decodePolicySpec(said), connection);
  }

  async infer(observation: Observation, signal?: AbortSignal): Promise<ActionChunk> {
    signal?.throwIfAborted();
    if (this.isAsking) throw new Error("openpi: one question at a time");
    this.isAsking = true;
    const giveUp = () => this.drop();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      if (this.connection?.socket.readyState !== WebSocket.OPEN) this.connection = await connect(this.options);
      signal?.throwIfAborted();
      const { socket, next } = this.connection;
      socket.send(packNumpy(this.encode(observation)));
      const answer = await next();
      signal?.throwIfAborted();
      return this.chunkOf(answer, observation);
    } catch (error) {
      this.drop();
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
      this.isAsking = false;
    }
  }

  reset(): void {
    // The protocol has no word for it: servers of this kind remember nothing.
  }

  async close(): Promise<void> {
    this.connection?.socket.close(1000);
    this.drop();
  }

  private drop(): void {
    this.connection?.socket.terminate();
    this.connection = null;
  }

  private encode({ images, state, instruction }: Observation): { readonly [key: string]: Packable } {
    const message: Record<string, Packable> = { [this.keys.prompt]: instruction };
    for (const { name } of this.spec.cameras) {
      const image = images[name];
      if (!image)
        throw new ConfigError(`openpi: must be shown camera "${name}", but the observation has none. Name it.`);
      message[this.keys.images[name]!] = numpyFromImage(image);
    }
    if (this.spec.stateSize > 0 && state) message[this.keys.state] = numpyArray(state, [state.length]);
    return message;
  }

  private chunkOf(answer: Packable, { stampNs }: Observation): ActionChunk {
    const { space, rateHz, policyId } = this.spec;
    const actions = typeof answer === "object" && answer !== null && "actions" in answer ? answer.actions : null;
    const isArray = typeof actions === "object" && actions !== null && "shape" in actions && "dtype" in actions;
    const { shape } = isArray ? (actions as NumpyArray) : { shape: [] };
    if (shape.length !== 2 || shape[0]! < 1 || shape[1] !== space.names.length) {
      const got = isArray ? `[${shape.join(", ")}]` : "no array";
      throw new FormatError(this.options.url, `actions must be [L, ${space.names.length}], got ${got}.`);
    }
    return { actions: toFloat32(actions as NumpyArray), length: shape[0]!, rateHz, space, stampNs, policyId };
  }
}

async function connect({ url, token, connectTimeoutMs = 5000 }: OpenpiClientOptions): Promise<Connection> {
  const fail = (problem: string, cause?: unknown) =>
    new UserError(`${url}: ${problem}. Start the policy server, or correct its address.`, { cause });
  let socket: WebSocket;
  try {
    socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: largestMessage,
      handshakeTimeout: connectTimeoutMs,
      ...(token ? { headers: { authorization: `Api-Key ${token}` } } : {}),
    });
  } catch (cause) {
    throw fail("must be an address like ws://host:8000", cause);
  }
  const frames: (Packable | Error)[] = [];
  let waiting: ((frame: Packable | Error) => void) | null = null;
  const deliver = (frame: Packable | Error) => {
    if (waiting) waiting(frame);
    else frames.push(frame);
    waiting = null;
  };
  const next = async (): Promise<Packable> => {
    const frame = frames.shift() ?? (await new Promise<Packable | Error>((resolve) => (waiting = resolve)));
    if (frame instanceof Error) throw frame;
    return frame;
  };
  socket.on("message", (data: Buffer, isBinary) => {
    try {
      // Text means that something went wrong there: a traceback.
      deliver(isBinary ? unpackNumpy(data) : new UserError(`${url}: the policy failed: ${lastLine(String(data))}`));
    } catch (error) {
      deliver(error as Error);
    }
  });
  socket.on("error", (error) => deliver(fail(`cannot be reached (${error.message})`, error)));
  socket.on("close", () => deliver(fail("closed the connection")));
  const timer = setTimeout(() => socket.terminate(), 2 * connectTimeoutMs);
  try {
    return { socket, metadata: await next(), next };
  } finally {
    clearTimeout(timer);
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)!.slice(0, 300);
