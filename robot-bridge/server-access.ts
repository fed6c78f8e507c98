/** @file Who may connect to our servers: this machine, or who shows the token. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ConfigError, RobotError } from "#core/errors.ts";

const shortestToken = 16;
const loopbackHosts = new Set(["127.0.0.1", "::1", "localhost"]);

/** @throws ConfigError when `host` can be reached from other machines and there is no token of 16 characters */
export function checkExposure(host: string, token: string): void {
  if (loopbackHosts.has(host) || token.length >= shortestToken) return;
  throw new ConfigError(
    `token: must have at least ${shortestToken} characters when host is ${host}, got ${token.length}. Anyone who reaches the port could use it; pass --token, or --host 127.0.0.1.`,
  );
}

/** With a token clients must show it; without one, pages may only come from this machine. @param token "" for none */
export function mayConnect(request: IncomingMessage, token: string): boolean {
  if (token !== "") return isSameSecret(tokenOf(request), token);
  const { origin } = request.headers;
  // Programs send no origin.
  if (!origin) return true;
  const host = URL.canParse(origin) ? new URL(origin).hostname.replace(/^\[|\]$/g, "") : "";
  return loopbackHosts.has(host);
}

/** `Authorization: Bearer` or `Api-Key` (openpi), or `?token=`. */
function tokenOf({ headers, url }: IncomingMessage): string {
  const shown = /^(?:Bearer|Api-Key) (.*)$/.exec(headers.authorization ?? "")?.[1];
  return shown ?? new URLSearchParams(url?.split("?")[1]).get("token") ?? "";
}

/** Takes equally long for any wrong guess. */
function isSameSecret(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** One sentence for a port that cannot be listened on; anything else is handed back as it is. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE: `port ${port} must be free, but another program uses it. Stop that program or pass --port with another number.`,
    EACCES: `port ${port} must be open to this user, but it is not allowed. Pass --port with a number above 1023.`,
    EADDRNOTAVAIL: `${host} must be an address of this machine. Pass --host 127.0.0.1.`,
    ENOTFOUND: `${host} must be an address of this machine, but the name is not known. Pass --host 127.0.0.1.`,
  };
  const reason = reasons[error.code ?? ""];
  return reason === undefined ? error : new RobotError(`bridge: ${reason}`, { cause: error });
}
