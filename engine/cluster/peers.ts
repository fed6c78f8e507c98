/** @file Whether the other workers can be reached. A cut link gives no error by itself: somebody has to knock. */
import { createConnection } from "node:net";
import { UserError } from "#core/errors.ts";
import { type Cluster, splitAddress } from "./cluster.ts";

const knockMs = 2000;

/** Whether something listens there. */
function answers(worker: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(splitAddress(worker));
    const done = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket.setTimeout(knockMs, () => done(false));
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

const name = (cluster: Cluster, worker: string) => `worker ${cluster.workers.indexOf(worker)} (${worker})`;

/** The other workers that cannot be reached. */
async function silentPeers({ workers, index }: Cluster): Promise<string[]> {
  const others = workers.filter((_, place) => place !== index);
  const reached = await Promise.all(others.map(answers));
  return others.filter((_, place) => !reached[place]);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until all workers have come.
 *
 * @throws UserError naming those that have not
 */
export async function awaitPeers(cluster: Cluster, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const missing = await silentPeers(cluster);
    if (missing.length === 0) return;
    if (performance.now() > endMs) {
      const names = missing.map((worker) => name(cluster, worker)).join(", ");
      throw new UserError(`cluster: ${names} did not come within ${Math.round(limitMs / 1000)} s. Start all workers.`);
    }
    await sleep(500);
  }
}

/** What a worker says when others are gone, whichever way that was found out. */
export function peersLost(cluster: Cluster, lost: readonly string[]): UserError {
  const names = lost.length === 0 ? "another worker" : lost.map((worker) => name(cluster, worker)).join(", ");
  return new UserError(
    `cluster: ${names} is gone, so this worker stops. Start the run again with --resume on the workers that are there; ` +
      "it goes on from the last checkpoint.",
  );
}

/** A reply that takes longer than this makes the worker knock at the others. */
const silenceMs = 4000;
const pauseMs = 1000;

export type Watch = {
  /** Waits for work that needs the others. @throws UserError as soon as one of them cannot be reached twice in a row */
  guard<T>(work: Promise<T>): Promise<T>;
};

/** @param onLost ends the engine, whose calls would wait for ever */
export function watchPeers(cluster: Cluster, onLost: () => void): Watch {
  async function knock(isDone: () => boolean): Promise<string[]> {
    await sleep(silenceMs);
    let before: string[] = [];
    while (!isDone()) {
      const silent = await silentPeers(cluster);
      const twice = silent.filter((worker) => before.includes(worker));
      if (twice.length > 0) return twice;
      before = silent;
      await sleep(pauseMs);
    }
    return [];
  }
  return {
    async guard(work) {
      let done = false;
      const finished = work.finally(() => {
        done = true;
      });
      const lost = knock(() => done).then((workers) => {
        if (workers.length === 0) return finished;
        onLost();
        finished.catch(() => {}); // its own error says less
        throw peersLost(cluster, workers);
      });
      lost.catch(() => {}); // when the work itself fails first
      try {
        return await Promise.race([finished, lost]);
      } catch (error) {
        // A peer that ended makes TensorFlow fail at once; who it was is seen by knocking.
        if (!/UNAVAILABLE|a worker is gone|collective|Connection|CANCELLED/i.test((error as Error).message))
          throw error;
        const gone = await silentPeers(cluster);
        onLost();
        throw (error as Error).message.startsWith("cluster:") ? error : peersLost(cluster, gone);
      }
    },
  };
}
