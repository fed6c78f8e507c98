import { createHash } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import {
  drawInstances,
  evaluateExpert,
  parsePushConfig,
  pushPresets,
  type SimulatedEpisode,
  type SimulateOptions,
  simulateEpisodes,
} from "#world/index.ts";

const base = { suite: pushPresets.demo, embodiment: "hand", seed: 11, size: 16 } as const;

async function collect(options: SimulateOptions): Promise<SimulatedEpisode[]> {
  const episodes: SimulatedEpisode[] = [];
  for await (const episode of simulateEpisodes(options)) episodes.push(episode);
  return episodes;
}

const digest = (episodes: readonly SimulatedEpisode[]) => {
  const hash = createHash("sha256");
  for (const { frames, log, index, truth } of episodes) {
    hash.update(`${index} ${log.stateDigest}`).update(frames).update(new Uint8Array(truth.blocks.buffer));
  }
  return hash.digest("hex");
};

describe("simulateEpisodes", () => {
  it("gives the same bytes in the same order for any number of threads", async () => {
    const digests = await Promise.all(
      [0, 2].map(async (workers) => digest(await collect({ ...base, episodes: 5, workers }))),
    );
    expect(new Set(digests).size).toBe(1);
  });

  it("gives other episodes for another seed, split or body", async () => {
    const first = async (options: Partial<SimulateOptions>) =>
      (await collect({ ...base, episodes: 1, workers: 0, ...options }))[0]!.instance.hash;
    const hashes = await Promise.all([
      first({}),
      first({ seed: 12 }),
      first({ split: "seen" }),
      first({ embodiment: "pusher" }),
    ]);
    expect(new Set(hashes).size).toBe(4);
  });

  it("holds one picture per state, the last without action, and the truth beside", async () => {
    const [episode] = await collect({ ...base, embodiment: "arm", episodes: 1, workers: 0 });
    const { length, frames, states, actions, truth, log, rateHz } = episode!;
    expect(frames.length).toBe(length * 16 * 16 * 3);
    expect(states!.length).toBe(length * 8);
    expect(actions!.length).toBe(length * 2);
    expect([...actions!.slice(-2)]).toEqual([0, 0]);
    expect(truth.tip.length).toBe(2 * length);
    expect(truth.blockIds).toEqual(["red-cylinder", "blue-cube", "green-pentagon", "yellow-triangle"]);
    expect(truth.blocks.length).toBe(length * 8);
    expect(log.frames).toBe(length);
    expect(rateHz).toBe(10);
    // Pictures differ as things move.
    expect(frames.slice(0, 768)).not.toEqual(frames.slice(-768));
  });

  it("keeps a hand's actions out of the data, in the truth alone", async () => {
    const [episode] = await collect({ ...base, episodes: 1, workers: 0 });
    expect(episode!.actions).toBeNull();
    expect(episode!.states).toBeNull();
    expect(Math.max(...episode!.truth.actions)).toBeGreaterThan(0.01);
  });

  it("draws failures again, so that all are successes, and counts up", async () => {
    const hard = parsePushConfig({ maxSteps: 22 });
    const all = await collect({ ...base, suite: hard, episodes: 8, workers: 0, onlySuccesses: false });
    expect(all.some(({ success }) => !success)).toBe(true);
    const progress: number[] = [];
    const good = await collect({
      ...base,
      suite: hard,
      episodes: 4,
      workers: 0,
      onProgress: (done) => progress.push(done),
    });
    expect(good.map(({ success }) => success)).toEqual([true, true, true, true]);
    expect(good.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(progress).toEqual([1, 2, 3, 4]);
  });

  it("says when the expert cannot do it", async () => {
    const impossible = parsePushConfig({ maxSteps: 1 });
    await expect(collect({ ...base, suite: impossible, episodes: 1, workers: 0 })).rejects.toThrow(
      "simulation: the expert must solve one of 20 draws of episode 0, but solved none. Make the suite easier.",
    );
  });

  it("stops when told to, also in the middle", async () => {
    const controller = new AbortController();
    const run = collect({
      ...base,
      episodes: 50,
      workers: 1,
      signal: controller.signal,
      onProgress: (done) => done === 2 && controller.abort(new Error("enough")),
    });
    await expect(run).rejects.toThrow("enough");
  });

  it("passes on what went wrong in a thread, with its class", async () => {
    const run = collect({ ...base, embodiment: "crane", episodes: 1, workers: 1 });
    await expect(run).rejects.toMatchObject({ name: "ConfigError", message: expect.stringContaining('got "crane"') });
  });
});

describe("evaluateExpert", () => {
  it("solves what it is given, in order, and logs what is asked for", async () => {
    const instances = drawInstances({
      suite: pushPresets.demo,
      embodiment: "pusher",
      split: "seen",
      seed: 1,
      count: 6,
    });
    const results = await evaluateExpert({ instances, workers: 2, record: (index) => index === 3 });
    expect(results.map(({ hash }) => hash)).toEqual(instances.map(({ hash }) => hash));
    expect(results.every(({ success, reasons }) => success && reasons.length === 0)).toBe(true);
    expect(results.flatMap(({ log, index }) => (log ? [index] : []))).toEqual([3]);
    expect(results[3]!.log!.frames).toBe(results[3]!.steps + 1);
  });
});
