import { readFileSync } from "node:fs";
import type { Policy, PolicySpec } from "#core/contracts/policy.ts";
import { ConfigError } from "#core/errors.ts";
import { OpenpiPolicy } from "./openpi-client.ts";
import { OpenpiServer } from "./openpi-server.ts";
import { OpenvlaPolicy } from "./openvla-client.ts";
import { OpenvlaServer } from "./openvla-server.ts";
import { decodePolicySpec } from "./policy-spec.ts";

export type RemotePolicyOptions = {
  /** ws:// or wss:// for openpi's protocol, http:// or https:// for OpenVLA's. */
  readonly url: string;
  /** JSON file that says what the policy is, for servers that do not: fields of `PolicySpec`. */
  readonly specPath?: string | undefined;
  readonly token?: string | undefined;
};

/** Whether a `--policy` is the address of a server and not a checkpoint. */
export const isPolicyUrl = (policy: string): boolean => /^(wss?|https?):\/\//.test(policy);

/** @throws UserError when there is no such server @throws ConfigError when nobody says what its actions mean */
export async function openRemotePolicy({
  url,
  specPath,
  token,
}: RemotePolicyOptions): Promise<Policy & { close(): Promise<void> }> {
  const spec = specPath === undefined ? undefined : readSpec(specPath);
  const common = { url, ...(token ? { token } : {}) };
  if (url.startsWith("ws")) return OpenpiPolicy.open({ ...common, ...(spec ? { spec } : {}) });
  if (!spec) {
    throw new ConfigError(`${url}: OpenVLA servers do not say what their actions mean. Describe the policy in a file.`);
  }
  return Object.assign(new OpenvlaPolicy({ ...common, spec }), { close: async () => undefined });
}

function readSpec(path: string): PolicySpec {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError(`${path}: must be a JSON file about the policy, but cannot be read. Check the path.`, {
      cause,
    });
  }
  return decodePolicySpec(value);
}

export type ServePolicyOptions = {
  readonly policy: Policy;
  readonly dialect: "openpi" | "openvla";
  readonly port: number;
  readonly host?: string;
  readonly token?: string;
  readonly log?: (line: string) => void;
};

/** Serves a policy until it is closed. @throws RobotError when the port is taken */
export async function servePolicy({
  dialect,
  ...options
}: ServePolicyOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = dialect === "openpi" ? new OpenpiServer(options) : new OpenvlaServer(options);
  const { url } = await server.listen();
  return { url, close: () => server.close() };
}
