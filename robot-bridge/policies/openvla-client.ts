import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy, PolicySpec } from "#core/contracts/policy.ts";
import { ConfigError, FormatError, UserError } from "#core/errors.ts";
import { decodeJsonNumpy, encodeJsonNumpy } from "./json-numpy.ts";
import { numpyArray, numpyFromImage, toFloat32 } from "./numpy.ts";

export type OpenvlaClientOptions = {
  /** http://host:8000/act */
  readonly url: string;
  /** What the policy is: the server does not say. A chunk of more than one action speaks OpenVLA-OFT's dialect. */
  readonly spec: PolicySpec;
  /** Which data set's statistics the server is to use. */
  readonly unnormKey?: string;
  readonly token?: string;
};

/** A policy behind OpenVLA's `POST /act`, or OpenVLA-OFT's. */
export class OpenvlaPolicy implements Policy {
  readonly spec: PolicySpec;
  private readonly options: OpenvlaClientOptions;

  constructor(options: OpenvlaClientOptions) {
    this.options = options;
    this.spec = options.spec;
    if (this.spec.cameras.length > 0) return;
    throw new ConfigError("openvla: must be shown at least one camera, got none. Describe the policy's cameras.");
  }

  async infer(observation: Observation, signal?: AbortSignal): Promise<ActionChunk> {
    const { url, token } = this.options;
    let response: Response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify(this.encode(observation)),
        signal: signal ?? null,
      });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new UserError(`${url}: cannot be reached. Start the policy server, or correct its address.`, { cause });
    }
    const answer: unknown = await response.json().catch(() => null);
    signal?.throwIfAborted();
    // OpenVLA's own server says 200 and "error".
    if (!response.ok || answer === "error" || answer === null) {
      const said = (answer as { error?: unknown } | null)?.error ?? `status ${response.status}`;
      throw new UserError(`${url}: the policy failed: ${String(said)}. See the server's log.`);
    }
    return this.chunkOf(answer, observation);
  }

  reset(): void {
    // The server remembers nothing.
  }

  private encode({ images, state, instruction }: Observation): unknown {
    const { cameras, stateSize, chunkLength } = this.spec;
    const pictures = cameras.map(({ name }) => {
      const image = images[name];
      if (!image)
        throw new ConfigError(`openvla: must be shown camera "${name}", but the observation has none. Name it.`);
      return encodeJsonNumpy(numpyFromImage(image));
    });
    const { unnormKey } = this.options;
    const common = {
      instruction,
      ...(unnormKey === undefined ? {} : { unnorm_key: unnormKey }),
      ...(stateSize > 0 && state ? { state: encodeJsonNumpy(numpyArray(state, [state.length])) } : {}),
    };
    if (chunkLength === 1 && cameras.length === 1) return { image: pictures[0], ...common };
    const wrists = cameras.slice(1).map(({ name }, index) => [`${name}_wrist_image`, pictures[index + 1]] as const);
    return { full_image: pictures[0], ...Object.fromEntries(wrists), ...common };
  }

  private chunkOf(answer: unknown, { stampNs }: Observation): ActionChunk {
    const { space, rateHz, policyId } = this.spec;
    const width = space.names.length;
    const rows = (Array.isArray(answer) ? answer : [answer]).map((row) => toFloat32(decodeJsonNumpy(row)));
    const wrong = rows.find((row) => row.length !== width);
    if (rows.length === 0 || wrong) {
      throw new FormatError(
        this.options.url,
        `actions must have ${width} values each, got ${wrong?.length ?? "none"}.`,
      );
    }
    const actions = new Float32Array(rows.length * width);
    for (const [index, row] of rows.entries()) actions.set(row, index * width);
    return { actions, length: rows.length, rateHz, space, stampNs, policyId };
  }
}
