/**
 * @file Serves a policy as OpenVLA's `POST /act` does (openvla/vla-scripts/deploy.py), and as OpenVLA-OFT's, which sends
 * `full_image` and takes a list of actions. Differences: real status codes with a sentence instead of 200 and "error",
 * bounded sizes, this machine only unless there is a token (`Authorization: Bearer`); `unnorm_key` is accepted and ignored,
 * because our policies hold one normalisation.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "#core/clock.ts";
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Image } from "#core/contracts/image.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy } from "#core/contracts/policy.ts";
import { FormatError } from "#core/errors.ts";
import { resizeImage } from "../robots/pictures.ts";
import { checkExposure, listenError, mayConnect } from "../server-access.ts";
import { decodeJsonNumpy, encodeJsonNumpy } from "./json-numpy.ts";
import { imageFromNumpy, numpyArray, toFloat32 } from "./numpy.ts";

export type OpenvlaServerOptions = {
  readonly policy: Policy;
  /** OpenVLA's own is 8000, OFT's 8777; 0: any free one. */
  readonly port: number;
  readonly host?: string;
  readonly token?: string;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
};

type Fields = Readonly<Record<string, unknown>>;

const largestBody = 64 * 1024 * 1024;

export class OpenvlaServer {
  private readonly options: Required<OpenvlaServerOptions>;
  private readonly http: Server;
  private turn: Promise<unknown> = Promise.resolve();

  /** @throws ConfigError when others could reach it without a token */
  constructor(options: OpenvlaServerOptions) {
    this.options = { host: "127.0.0.1", token: "", clock: systemClock, log: () => undefined, ...options };
    checkExposure(this.options.host, this.options.token);
    this.http = createServer((request, response) => {
      this.handle(request, response).catch((error: Error) => {
        const isTheirs = error instanceof FormatError;
        this.options.log(`/act: ${error.message}`);
        reply(response, isTheirs ? 400 : 500, { error: error.message });
      });
    });
  }

  /** @throws RobotError when the port is taken */
  async listen(): Promise<{ readonly url: string }> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.http.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.http.listen(port, host, resolve);
    });
    return { url: `http://${host}:${(this.http.address() as AddressInfo).port}/act` };
  }

  async close(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!mayConnect(request, this.options.token)) return reply(response, 401, { error: "the token is missing" });
    if (request.method !== "POST" || request.url?.split("?")[0] !== "/act") {
      return reply(response, 404, { error: "POST /act is all that is here" });
    }
    const body = parseObject(await readBody(request));
    // Some clients send the whole request as a text inside the request, and want the answer so.
    const isDouble = Object.keys(body).length === 1 && typeof body.encoded === "string";
    const fields = isDouble ? parseObject(body.encoded as string) : body;
    const answer = await this.act(fields, response);
    reply(response, 200, isDouble ? JSON.stringify(answer) : answer);
  }

  private async act(fields: Fields, response: ServerResponse): Promise<unknown> {
    const observation = this.observationOf(fields);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const before = this.turn;
    const mine = (async () => {
      await before;
      return this.options.policy.infer(observation, gone.signal);
    })();
    this.turn = mine.catch(() => undefined);
    const rows = rowsOf(await mine);
    return "full_image" in fields ? rows : rows[0];
  }

  private observationOf(fields: Fields): Observation {
    const { policy, clock } = this.options;
    const main = "full_image" in fields ? "full_image" : "image";
    const wrist = Object.keys(fields).find((key) => key.includes("wrist"));
    const images: Record<string, Image> = {};
    for (const [index, { name, height, width }] of policy.spec.cameras.entries()) {
      const key = index === 0 ? main : wrist;
      if (key === undefined || !(key in fields))
        throw new FormatError("request", `must have a picture "${key ?? "wrist_image"}".`);
      images[name] = resizeImage(imageFromNumpy(decodeJsonNumpy(fields[key]), key), height, width);
    }
    const { instruction } = fields;
    if (typeof instruction !== "string") throw new FormatError("request", 'must have a text "instruction".');
    const base = { images, instruction, stampNs: clock.nowNs() };
    const { stateSize } = policy.spec;
    if (stateSize === 0) return base;
    const state = toFloat32(decodeJsonNumpy(fields.state));
    if (state.length === stateSize) return { ...base, state };
    throw new FormatError("request", `"state" must have ${stateSize} values, got ${state.length}.`);
  }
}

const rowsOf = ({ actions, length, space }: ActionChunk) => {
  const width = space.names.length;
  return Array.from({ length }, (_, row) =>
    encodeJsonNumpy(numpyArray(Float64Array.from(actions.subarray(row * width, (row + 1) * width)), [width])),
  );
};

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > largestBody) throw new FormatError("request", `must have at most ${largestBody} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("request", "must be JSON.", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new FormatError("request", "must be a JSON object.");
}
