/** @file A policy behind a socket plays in simulation as one in this process does. */
import { afterEach, describe, expect, it } from "@jest/globals";
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { BatchPolicy } from "#core/contracts/policy.ts";
import { openRemotePolicy, servePolicy } from "#robot-bridge/index.ts";
import { chooseSuite, drawInstances, evaluatePolicy, planarDelta, zeroPolicy } from "#world/index.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const instances = drawInstances({
  ...{
    suite: chooseSuite({ suite: "demo", changes: { maxSteps: 12 } }),
    embodiment: "pusher",
    split: "seen",
    seed: 2,
    count: 3,
  },
});

async function remote(policy: Parameters<typeof servePolicy>[0]["policy"]) {
  const server = await servePolicy({ policy, dialect: "openpi", port: 0 });
  closing.push(() => server.close());
  const client = await openRemotePolicy({ url: server.url });
  closing.push(() => client.close());
  return client;
}

/** Goes where the picture tells it, so that the same actions mean that the same pictures came through. */
function local(): BatchPolicy {
  const still = zeroPolicy({ space: planarDelta, size: 16, chunkLength: 4 });
  const infer = async (observation: Observation): Promise<ActionChunk> => {
    const chunk = await still.infer(observation);
    const { data } = observation.images.front!;
    const sum = (from: number) => data.reduce((total, value, index) => total + (index % 7 === from ? value : 0), 0);
    return { ...chunk, actions: chunk.actions.map((_, index) => 0.01 * Math.sin(sum(index % 7))) };
  };
  return { ...still, infer, inferBatch: (observations) => Promise.all(observations.map(infer)) };
}

describe("evaluatePolicy", () => {
  it("plays a policy behind a socket as if it were here", async () => {
    const here = await evaluatePolicy({ instances, policy: local(), workers: 0, record: () => true });
    const there = await evaluatePolicy({
      ...{ instances, policy: await remote(local()), workers: 0, record: () => true },
    });
    expect(new Set(here[0]!.log!.actions).size).toBeGreaterThan(5);
    expect(there.map(({ log }) => [...log!.actions])).toEqual(here.map(({ log }) => [...log!.actions]));
    expect(there.map(({ log }) => log!.stateDigest)).toEqual(here.map(({ log }) => log!.stateDigest));
  });

  it("does not wait for ever for a server that is silent", async () => {
    const silent = { ...local(), infer: () => new Promise<never>(() => undefined) };
    const policy = await remote(silent);
    await expect(evaluatePolicy({ instances, policy, workers: 0, timeoutMs: 300 })).rejects.toThrow(
      "must answer within 300 ms",
    );
  });

  it("names a server that answers with numbers that are none", async () => {
    const broken = local();
    const infer = async (...asked: Parameters<typeof broken.infer>) => {
      const chunk = await broken.infer(...asked);
      return { ...chunk, actions: chunk.actions.map(() => Number.NaN) };
    };
    const policy = await remote({ ...broken, infer });
    await expect(evaluatePolicy({ instances, policy, workers: 0 })).rejects.toThrow(/finite|NaN/);
  });
});
