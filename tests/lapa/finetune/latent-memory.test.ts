import { describe, expect, it } from "@jest/globals";
import { createLatentMemory } from "#lapa/finetune/latent-memory.ts";
import { smallPolicy } from "./small-policy.ts";

const ms = (value: number) => BigInt(value) * 1_000_000n;

describe("createLatentMemory", () => {
  it("recalls what was said nearest to one offset (0.2 s) ago, and none before that", () => {
    const memory = createLatentMemory(smallPolicy({}, {}, true))!;
    expect([...memory.before(ms(0))]).toEqual([4, 4]);
    memory.remember(ms(0), Int32Array.of(1, 0));
    expect([...memory.before(ms(50))]).toEqual([4, 4]);
    memory.remember(ms(100), Int32Array.of(2, 0));
    memory.remember(ms(200), Int32Array.of(3, 0));
    expect([...memory.before(ms(200))]).toEqual([1, 0]);
    expect([...memory.before(ms(310))]).toEqual([2, 0]);
    memory.forget();
    expect([...memory.before(ms(310))]).toEqual([4, 4]);
  });

  it("is none for a policy that does not hear it", () => {
    expect(createLatentMemory(smallPolicy())).toBeUndefined();
  });
});
