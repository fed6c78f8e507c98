/** @file Who trains together: TensorFlow's own convention, the variable TF_CONFIG. */
import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";
import { z } from "zod";
import { readEnvironment } from "#core/config/environment.ts";
import { parseConfig } from "#core/config/resolve.ts";
import { ConfigError } from "#core/errors.ts";

export type Cluster = {
  /** host:port of every worker; the first one writes checkpoints and metrics. */
  readonly workers: readonly string[];
  /** Which of them this process is. */
  readonly index: number;
};

const tfConfigSchema = z.looseObject({
  cluster: z.strictObject({ chief: z.array(z.string()).max(1).optional(), worker: z.array(z.string()).optional() }),
  task: z.strictObject({ type: z.enum(["chief", "worker"]), index: z.number().int().min(0) }),
});

/** host:port; an IPv6 host stands in brackets. */
const address = /^([\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/;

/**
 * Reads `{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}`; a `chief` comes first.
 *
 * @returns undefined where the text is empty or names a single worker
 * @throws ConfigError when it is no such text
 */
export function readCluster(text = readEnvironment("TF_CONFIG")): Cluster | undefined {
  if (text === undefined || text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`TF_CONFIG: must be JSON, got ${JSON.stringify(text.slice(0, 60))}.`, { cause });
  }
  const { cluster, task } = parseConfig(tfConfigSchema, value, "TF_CONFIG");
  const chiefs = cluster.chief ?? [];
  const workers = [...chiefs, ...(cluster.worker ?? [])];
  const index = task.type === "chief" ? task.index : chiefs.length + task.index;
  if (index >= workers.length || (task.type === "chief" && chiefs.length === 0)) {
    throw new ConfigError(
      `TF_CONFIG: task ${task.type} ${task.index} is not among the cluster's ${workers.length} workers. Count from 0.`,
    );
  }
  for (const worker of workers) {
    const port = Number(address.exec(worker)?.[2]);
    if (!(port > 0 && port < 65536))
      throw new ConfigError(`TF_CONFIG: must list host:port, got ${JSON.stringify(worker)}.`);
  }
  const twice = workers.find((worker, place) => workers.indexOf(worker) !== place);
  if (twice !== undefined)
    throw new ConfigError(`TF_CONFIG: ${twice} is listed twice. Each worker needs its own port.`);
  return workers.length < 2 ? undefined : { workers, index };
}

/** @returns host and port to connect to */
export function splitAddress(worker: string): { host: string; port: number } {
  const [, host, port] = address.exec(worker)!;
  return { host: host!.replace(/^\[|\]$/g, ""), port: Number(port) };
}

type Interfaces = Readonly<
  Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>
>;

/** What IANA lists as not globally reachable: private, shared, link-local, loopback, test and documentation addresses. */
const unreachable = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["::1", 128],
  ["2001:db8::", 32],
  ["fc00::", 7],
  ["fe80::", 10],
] as const;

const isIpv6 = (ip: string) => ip.includes(":");

function createLocalList(): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of unreachable) list.addSubnet(network, prefix, isIpv6(network) ? "ipv6" : "ipv4");
  return list;
}

/**
 * TensorFlow's server listens on every interface, takes graphs from whoever connects and asks for no password: on a machine
 * with a public address that is a door for everybody.
 *
 * @param exposed the user has closed it by other means, or takes the risk
 * @throws ConfigError naming the public address
 */
export function checkExposure(exposed: boolean, interfaces: Interfaces = networkInterfaces()): void {
  if (exposed) return;
  const local = createLocalList();
  const isPublic = (ip: string) => !local.check(ip, isIpv6(ip) ? "ipv6" : "ipv4");
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    const open = addresses.find((entry) => !entry.internal && isPublic(entry.address));
    if (open === undefined) continue;
    throw new ConfigError(
      `cluster: TensorFlow's server would listen on the public address ${open.address} (${name}) without a password. ` +
        "Close the port with a firewall or run in a network namespace (docs/cluster.md), then add --engine.exposed.",
    );
  }
}
