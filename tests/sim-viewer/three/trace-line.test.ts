import { describe, expect, it } from "@jest/globals";
import type { InterleavedBufferAttribute } from "three";
import { createTraceLine } from "#sim-viewer/src/three/trace-line.ts";

describe("createTraceLine", () => {
  const line = createTraceLine(4, 2, [0x000000, 0xffffff]);
  const numbers = (name: string) =>
    [...(line.object.geometry.getAttribute(name) as InterleavedBufferAttribute).data.array].slice(0, 12);

  it("draws nothing at first and nothing of a single point", () => {
    expect(line.object.geometry.instanceCount).toBe(0);
    line.set(Float32Array.of(1, 2, 3), 1);
    expect(line.object.geometry.instanceCount).toBe(0);
  });

  it("draws each piece with both its ends, and a colour that runs from first to last", () => {
    line.set(Float32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2), 3);
    expect(line.object.geometry.instanceCount).toBe(2);
    expect(numbers("instanceStart")).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2]);
    expect(numbers("instanceColorStart")).toBeAllClose([0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1]);
  });
});
