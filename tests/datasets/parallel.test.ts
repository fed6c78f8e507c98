import { describe, expect, it } from "@jest/globals";
import { forEachParallel } from "#datasets/parallel.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("forEachParallel", () => {
  it("works on every item, never on more than asked at a time", async () => {
    let [running, most] = [0, 0];
    const seen: number[] = [];
    await forEachParallel([3, 1, 2, 5, 4], 2, async (item, index) => {
      most = Math.max(most, ++running);
      await pause(item);
      seen[index] = item;
      running--;
    });
    expect([most, seen]).toEqual([2, [3, 1, 2, 5, 4]]);
  });

  it("throws the first error when the work under way has ended, and starts nothing more", async () => {
    const ended: number[] = [];
    const working = forEachParallel([0, 1, 2, 3], 2, async (item) => {
      await pause(item === 0 ? 1 : 10);
      if (item === 0) throw new Error("item 0");
      ended.push(item);
    });
    await expect(working).rejects.toThrow("item 0");
    expect(ended).toEqual([1]);
  });

  it("does nothing for no items", async () => {
    await expect(forEachParallel([], 4, async () => undefined)).resolves.toBeUndefined();
  });
});
