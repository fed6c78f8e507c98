import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";

describe("createRng", () => {
  it("draws xoshiro128** (first outputs of the reference program for the state 1, 2, 3, 4)", () => {
    const rng = createRng(0, [1, 2, 3, 4]);
    const words = Array.from({ length: 4 }, () => rng.next() * 4294967296);
    expect(words).toEqual([11520, 0, 5927040, 70819200]);
  });

  it("goes on from a saved state", () => {
    const rng = createRng("a");
    rng.next();
    const saved = rng.state();
    const next = [rng.next(), rng.normal()];
    const again = createRng("a", saved);
    expect([again.next(), again.normal()]).toEqual(next);
  });

  it("forks by name, whatever was drawn before", () => {
    const rng = createRng(7);
    const early = rng.fork("x").next();
    rng.next();
    expect(rng.fork("x").next()).toBe(early);
    expect(rng.fork("y").next()).not.toBe(early);
  });

  it("is uniform and normal to within sampling error", () => {
    const rng = createRng(8);
    const count = 20_000;
    const normals = Array.from({ length: count }, () => rng.normal());
    const mean = normals.reduce((sum, value) => sum + value, 0) / count;
    const variance = normals.reduce((sum, value) => sum + value * value, 0) / count;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const hits = new Int32Array(8);
    for (let draw = 0; draw < count; draw++) hits[rng.integer(8)]!++;
    for (const hit of hits) expect(Math.abs(hit - count / 8)).toBeLessThan(200);
  });

  it("shuffles in place without losing anything", () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = createRng(9).shuffle([...items]);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.sort((a, b) => a - b)).toEqual(items);
  });
});
