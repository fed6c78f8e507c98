/**
 * @file Serves a policy as openpi's WebsocketPolicyServer does (src/openpi/serving/websocket_policy_server.py), so that its
 * clients can use ours: metadata first, then one binary answer per binary observation, errors as text and close code 1011,
 * `GET /healthz`. Differences: this machine only unless there is a token (openpi's `Authorization: Api-Key`), sizes are
 * bounded, errors hold no stack, and the event loop answers pings while the policy thinks.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { type Clock, systemClock } from "#core/clock.ts";
import type { Image } from "#core/contracts/image.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy } from "#core/contracts/policy.ts";
import { FormatError } from "#core/errors.ts";
import { msFromNs } from "../protocol/stamp.ts";
import { resizeImage } from "../robots/pictures.ts";
import { checkExposure, listenError, mayConnect } from "../server-access.ts";
import { type Packable, packNumpy, unpackNumpy } from "./msgpack-numpy.ts";
import { imageFromNumpy, type NumpyArray, numpyArray, toFloat32 } from "./numpy.ts";
import { type ObservationKeys, openpiKeys } from "./observation-keys.ts";
import { encodePolicySpec } from "./policy-spec.ts";

export type OpenpiServerOptions = {
  readonly policy: Policy;
  /** openpi's own is 8000; 0: any free one. */
  readonly port: number;
  readonly host?: string;
  readonly token?: string;
  readonly keys?: ObservationKeys;
  /** Goes out first, beside what the policy is. */
  readonly metadata?: { readonly [key: string]: Packable };
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
};

const largestMessage = 64 * 1024 * 1024;
const failure = "Internal server error. Traceback included in previous frame.";

export class OpenpiServer {
  private readonly options: Required<OpenpiServerOptions>;
  private readonly http: Server;
  private readonly sockets: WebSocketServer;
  /** Policies answer one question at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  /** @throws ConfigError when others could reach it without a token */
  constructor(options: OpenpiServerOptions) {
    this.options = {
      host: "127.0.0.1",
      token: "",
      keys: openpiKeys(options.policy.spec),
      metadata: {},
      clock: systemClock,
      log: () => undefined,
      ...options,
    };
    const { host, token } = this.options;
    checkExposure(host, token);
    this.http = createServer(({ url }, response) => {
      const isHealth = url === "/healthz";
      response.writeHead(isHealth ? 200 : 404, { "content-type": "text/plain" }).end(isHealth ? "OK\n" : "not here\n");
    });
    this.sockets = new WebSocketServer({
      server: this.http,
      maxPayload: largestMessage,
      perMessageDeflate: false,
      verifyClient: ({ req }: { req: Parameters<typeof mayConnect>[0] }) => mayConnect(req, token),
    });
    this.sockets.on("error", () => undefined);
    this.sockets.on("connection", (socket) => this.welcome(socket));
  }

  /** @throws RobotError when the port is taken */
  async listen(): Promise<{ readonly url: string }> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.http.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.http.listen(port, host, resolve);
    });
    return { url: `ws://${host}:${(this.http.address() as AddressInfo).port}` };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    await new Promise<void>((resolve) => this.sockets.close(() => resolve()));
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }

  private welcome(socket: WebSocket): void {
    const { policy, metadata, log, clock } = this.options;
    const gone = new AbortController();
    let previousMs: number | null = null;
    let open = 0;
    socket.on("close", () => gone.abort());
    socket.on("error", (error) => log(`client: ${error.message}`));
    socket.send(packNumpy({ ...metadata, armature: encodePolicySpec(policy.spec) }));
    socket.on("message", (data: Buffer) => {
      const startNs = clock.nowNs();
      open += 1;
      // Strictly one question at a time, as the protocol has no ids.
      const answer =
        open > 1
          ? Promise.reject(new FormatError("observation", "came before the last answer."))
          : this.answer(data, previousMs, gone.signal);
      answer
        .then((bytes) => {
          if (socket.readyState === socket.OPEN) socket.send(bytes);
          previousMs = msFromNs(clock.nowNs() - startNs);
        })
        .catch((error: Error) => {
          log(`client: ${error.message}`);
          if (socket.readyState !== socket.OPEN) return;
          socket.send(`${error.name}: ${error.message}`);
          socket.close(1011, failure);
        })
        .finally(() => {
          open -= 1;
        });
    });
  }

  private async answer(data: Buffer, previousMs: number | null, signal: AbortSignal): Promise<Uint8Array> {
    const { policy, clock } = this.options;
    const observation = this.observationOf(unpackNumpy(data));
    const before = this.turn;
    const mine = (async () => {
      await before.catch(() => undefined);
      signal.throwIfAborted();
      const startNs = clock.nowNs();
      const chunk = await policy.infer(observation, signal);
      return { chunk, inferMs: msFromNs(clock.nowNs() - startNs) };
    })();
    this.turn = mine.catch(() => undefined);
    const { chunk, inferMs } = await mine;
    return packNumpy({
      actions: numpyArray(chunk.actions, [chunk.length, chunk.space.names.length]),
      policy_timing: { infer_ms: inferMs },
      server_timing: { infer_ms: inferMs, ...(previousMs === null ? {} : { prev_total_ms: previousMs }) },
    });
  }

  private observationOf(message: Packable): Observation {
    const { policy, keys, clock } = this.options;
    if (typeof message !== "object" || message === null) throw new FormatError("observation", "must be a map.");
    const fields = message as Readonly<Record<string, Packable>>;
    const arrayAt = (key: string): NumpyArray => {
      const value = fields[key];
      if (typeof value === "object" && value !== null && "dtype" in value) return value as NumpyArray;
      const got = Object.keys(fields).join(", ") || "nothing";
      throw new FormatError("observation", `must have an array "${key}", got ${got}.`);
    };
    const images: Record<string, Image> = {};
    for (const { name, height, width } of policy.spec.cameras) {
      const key = keys.images[name]!;
      images[name] = resizeImage(imageFromNumpy(arrayAt(key), key), height, width);
    }
    const prompt = fields[keys.prompt];
    if (typeof prompt !== "string") throw new FormatError("observation", `must have a text "${keys.prompt}".`);
    const base = { images, instruction: prompt, stampNs: clock.nowNs() };
    if (policy.spec.stateSize === 0) return base;
    const state = toFloat32(arrayAt(keys.state));
    if (state.length === policy.spec.stateSize) return { ...base, state };
    throw new FormatError(
      "observation",
      `"${keys.state}" must have ${policy.spec.stateSize} values, got ${state.length}.`,
    );
  }
}
