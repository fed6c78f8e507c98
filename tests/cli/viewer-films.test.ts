import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createFilms } from "#cli/viewer-films.ts";
import { readFrameTimes } from "#cli/viewer-video-times.ts";
import { UserError } from "#core/errors.ts";
import { probeVideo } from "#datasets/video/probe.ts";

/** Three pictures of 9 by 7 pixels; `asked` counts how often they were read, and the first `failures` times it fails. */
function makeOrder(timesS = [0, 0.1, 0.5], failures = 0) {
  const counts = { asked: 0 };
  async function* pictures() {
    if (counts.asked++ < failures) throw new UserError("/set: the pictures are damaged.");
    for (let frame = 0; frame < 3; frame++) {
      yield { data: new Uint8Array(9 * 7 * 3).fill(60 * frame), width: 9, height: 7 };
    }
  }
  return { order: { pictures, timesS, rateHz: 10 }, counts };
}

describe("createFilms", () => {
  it("films every picture at its own time, with even sides, and removes all at the end", async () => {
    const films = createFilms();
    const path = await films.film("a", makeOrder().order);
    expect(await readFrameTimes(path)).toBeAllClose([0, 0.1, 0.5]);
    expect(await probeVideo(path)).toMatchObject({ width: 8, height: 6 });
    await films.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it("films once however often and at once it is asked", async () => {
    const films = createFilms();
    const { order, counts } = makeOrder();
    const paths = await Promise.all([films.film("a", order), films.film("a", order), films.film("a", order)]);
    expect(new Set([...paths, await films.film("a", order)]).size).toBe(1);
    expect(counts.asked).toBe(1);
    await films.close();
  });

  it("keeps the newest 32 and films an older one again", async () => {
    const films = createFilms();
    const { order, counts } = makeOrder([0]);
    const first = await films.film("0", order);
    for (let name = 1; name <= 32; name++) await films.film(`${name}`, order);
    expect(existsSync(first)).toBe(false);
    await films.film("32", order);
    expect(counts.asked).toBe(33);
    await films.film("0", order);
    expect(counts.asked).toBe(34);
    await films.close();
  });

  it("passes on why it failed and tries again the next time", async () => {
    const films = createFilms();
    const { order } = makeOrder([0, 0.1, 0.5], 1);
    await expect(films.film("a", order)).rejects.toThrow("/set: the pictures are damaged.");
    expect(existsSync(await films.film("a", order))).toBe(true);
    await films.close();
  });
});
