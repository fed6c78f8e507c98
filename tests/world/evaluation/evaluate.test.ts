import { describe, expect, it } from "@jest/globals";
import type { Clock } from "#core/clock.ts";
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { BatchPolicy, Policy } from "#core/contracts/policy.ts";
import { ConfigError, ShapeError, UserError } from "#core/errors.ts";
import {
  drawInstance,
  drawInstances,
  evaluatePolicy,
  planarDelta,
  pushPresets,
  randomPolicy,
  zeroPolicy,
} from "#world/index.ts";
import { replayRollout } from "#world/replay.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";

const instances = drawInstances({ suite: pushPresets.demo, embodiment: "pusher", split: "seen", seed: 5, count: 5 });
const random = (chunkLength = 4) => randomPolicy({ space: planarDelta, seed: 1, chunkLength });

/** A policy made of one function, that keeps what it was asked. */
function policyOf(act: (observation: Observation, call: number) => Partial<ActionChunk>, chunkLength = 4) {
  const asked: (readonly Observation[])[] = [];
  const zero = zeroPolicy({ space: planarDelta, chunkLength });
  const policy: BatchPolicy = {
    ...zero,
    inferBatch: async (observations) => {
      asked.push(observations);
      const chunks = await zero.inferBatch(observations);
      return chunks.map((chunk, row) => ({ ...chunk, ...act(observations[row]!, asked.length) }));
    },
  };
  return { policy, asked };
}

describe("evaluatePolicy", () => {
  it("gives one result per instance, in order, the same for any number of threads and batches", async () => {
    const runs = await Promise.all(
      [{ workers: 0 }, { workers: 1, batch: 2 }, { workers: 2 }].map((how) =>
        evaluatePolicy({ instances, policy: random(), ...how }),
      ),
    );
    expect(runs[0]!.map(({ hash, index }) => [hash, index])).toEqual(instances.map(({ hash }, index) => [hash, index]));
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
    expect(runs[0]!.every(({ success, reasons }) => success === (reasons.length === 0))).toBe(true);
  });

  it("asks again after the executed part of a chunk", async () => {
    const { policy, asked } = policyOf(() => ({}));
    const [result] = await evaluatePolicy({ instances: instances.slice(0, 1), policy, workers: 0, executeSteps: 3 });
    expect(result!.steps).toBe(60);
    expect(asked.length).toBe(20);
    expect(asked.map(([observation]) => Number(observation!.stampNs) / 1e9)).toEqual(
      asked.map((_, call) => 0.3 * call).map((time) => expect.closeTo(time, 9)),
    );
    expect(asked[0]![0]!.images.front).toMatchObject({ height: 8, width: 8 });
    expect(asked[0]![0]!.instruction).toBe(instances[0]!.instruction);
  });

  it("never asks for more than a batch at once and keeps batches full", async () => {
    const { policy, asked } = policyOf(() => ({}));
    await evaluatePolicy({ instances, policy, workers: 0, batch: 2 });
    expect(Math.max(...asked.map((observations) => observations.length))).toBe(2);
    // Five episodes of 15 answers each, in pairs: two groups take 3 and 2 instances.
    expect(asked.length).toBe(15 + 15 + 15);
  });

  it("logs the rollouts that are asked for, and they replay", async () => {
    const results = await evaluatePolicy({
      instances: instances.slice(0, 2),
      policy: random(),
      workers: 1,
      record: (index) => index === 1,
    });
    expect(results[0]!.log).toBeUndefined();
    const { log, steps } = results[1]!;
    expect(log).toMatchObject({ policyId: "random-1", success: results[1]!.success });
    // What was meant, beside what was done: the same here, because it lies within the limits.
    expect(log!.chunks!.length).toBe(4);
    expect([...log!.chunks!.frames]).toEqual(Array.from({ length: Math.ceil(steps / 4) }, (_, call) => 4 * call));
    expect(log!.chunks!.actions.slice(0, 2 * steps)).toEqual(log!.actions.slice(0, 2 * steps));
    expect((await replayRollout(results[1]!.log!)).isExact).toBe(true);
  });

  it("reports progress up to the end", async () => {
    const seen: [number, number][] = [];
    await evaluatePolicy({
      instances,
      policy: random(),
      workers: 0,
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(seen.at(-1)).toEqual([5, 5]);
    expect(seen.every(([done], index) => index === 0 || done > seen[index - 1]![0])).toBe(true);
  });

  it("plays a policy that remembers one episode after the other, reset before each", async () => {
    const calls: string[] = [];
    const { infer, spec } = zeroPolicy({ space: planarDelta, chunkLength: 30 });
    const policy: Policy = {
      spec,
      infer: (observation, signal) => {
        calls.push(observation.stampNs === 0n ? "first" : "more");
        return infer(observation, signal);
      },
      reset: () => calls.push("reset"),
    };
    const results = await evaluatePolicy({ instances: instances.slice(0, 2), policy, workers: 0 });
    expect(results.length).toBe(2);
    expect(calls).toEqual(["reset", "reset", "first", "more", "reset", "first", "more"]);
  });

  it("counts broken physics as unstable", async () => {
    const whole = instances[0]!;
    const initial = whole.initial as TabletopInitial;
    const objects = initial.objects.map((object) => ({ ...object, position: [Number.NaN, 0, 0.02] }));
    const broken = { ...whole, hash: "broken", initial: { ...initial, objects } };
    const results = await evaluatePolicy({ instances: [broken, instances[1]!], policy: random(), workers: 0 });
    expect(results[0]).toMatchObject({ unstable: true, success: false, reasons: ["the physics became unstable"] });
    expect(results[1]!.unstable).toBe(false);
  });
});

describe("a policy that answers wrongly", () => {
  const evaluate = (policy: Policy, more = {}) => evaluatePolicy({ instances, policy, workers: 0, ...more });
  const refused = async (policy: Policy, kind: typeof UserError, message: string | RegExp, more = {}) => {
    const run = evaluate(policy, more);
    await expect(run).rejects.toThrow(kind);
    await expect(run).rejects.toThrow(message);
  };

  it("with NaN is named with place and instance", async () => {
    const actions = new Float32Array(8);
    actions[5] = Number.NaN;
    const { policy } = policyOf((_, call) => (call > 2 ? { actions } : {}));
    await refused(
      policy,
      UserError,
      /^policy "zero": actions must be finite, got NaN for "dy" of step 2 in instance \d \([0-9a-f]{12}\)\./,
    );
  });

  it.each([
    ["too short", { actions: new Float32Array(4), length: 2 }, "f32[4] as 2 steps"],
    ["of another width", { actions: new Float32Array(12) }, "f32[12] as 4 steps"],
    ["no floats", { actions: [0, 0] as never }, "object"],
  ])("that is %s is refused", async (_, chunk, got) => {
    const { policy } = policyOf(() => chunk);
    await refused(policy, ShapeError, `chunks must be f32[L, 2] with L of at least 4, got ${got}`);
  });

  it("for too few observations is refused", async () => {
    const { policy } = policyOf(() => ({}));
    const silent = { ...policy, inferBatch: async () => [] };
    await refused(silent, ShapeError, "must return one chunk for each of 3 observations, got 0");
    await refused({ ...policy, inferBatch: async () => undefined as never } as BatchPolicy, ShapeError, "got none");
  });

  it("not in time is told to stop", async () => {
    let told: AbortSignal | undefined;
    const { policy } = policyOf(() => ({}));
    const stuck: BatchPolicy = { ...policy, inferBatch: (_, signal) => new Promise(() => (told = signal)) };
    await refused(stuck, UserError, 'policy "zero": must answer within 20 ms, got nothing.', { timeoutMs: 20 });
    expect(told!.aborted).toBe(true);
  });

  it("is not waited for by the wall clock when another clock is given", async () => {
    const waits: number[] = [];
    const clock: Clock = { nowNs: () => 0n, sleep: async (durationMs) => void waits.push(durationMs) };
    const { policy } = policyOf(() => ({}));
    const stuck: BatchPolicy = { ...policy, inferBatch: () => new Promise(() => undefined) };
    await refused(stuck, UserError, "within 3600000 ms", { timeoutMs: 3_600_000, clock });
    expect(waits.length).toBeGreaterThan(0);
  });

  it("by throwing ends the evaluation with its error", async () => {
    const { policy } = policyOf(() => {
      throw new Error("out of memory");
    });
    await refused(policy, Error as never, "out of memory");
  });

  it("stops at once when the caller aborts", async () => {
    const controller = new AbortController();
    const { policy } = policyOf(() => ({}));
    const stuck: BatchPolicy = {
      ...policy,
      inferBatch: () => {
        controller.abort(new Error("stopped by hand"));
        return new Promise(() => undefined);
      },
    };
    await expect(evaluate(stuck, { signal: controller.signal })).rejects.toThrow("stopped by hand");
  });
});

describe("a policy that does not fit", () => {
  const zero = zeroPolicy({ space: planarDelta, chunkLength: 2 });
  const withSpec = (spec: Partial<Policy["spec"]>): Policy => ({ ...zero, spec: { ...zero.spec, ...spec } });
  const evaluate = (policy: Policy, more = {}) => evaluatePolicy({ instances, policy, workers: 0, ...more });

  it.each([
    [
      { space: { ...planarDelta, kind: "joint-position" } as const },
      "must act as planar-delta (dx, dy), got joint-position",
    ],
    [{ space: { ...planarDelta, names: ["dy", "dx"] } }, "got planar-delta (dy, dx)"],
    [{ cameras: [{ name: "wrist", height: 8, width: 8 }] }, 'cameras must be among front, got "wrist"'],
    [{ cameras: [{ name: "front", height: 8, width: 12 }] }, "must be square and of one size, got 8 x 12"],
  ])("is refused before anything runs: %j", async (spec, message) => {
    const run = evaluate(withSpec(spec));
    await expect(run).rejects.toThrow(ConfigError);
    await expect(run).rejects.toThrow(message);
  });

  it("is refused when more steps are to be executed than it gives", async () => {
    await expect(evaluate(zero, { executeSteps: 3 })).rejects.toThrow(
      "executeSteps must be between 1 and the chunk's 2, got 3",
    );
  });

  it("is refused when instances are of several bodies, or none", async () => {
    const other = drawInstance({ suite: pushPresets.demo, embodiment: "arm", split: "seen", seed: 1 });
    await expect(evaluate(zero, { instances: [...instances, other] })).rejects.toThrow(
      "of one suite and embodiment, got push pusher, push arm",
    );
    await expect(evaluate(zero, { instances: [] })).rejects.toThrow("got none");
  });
});
