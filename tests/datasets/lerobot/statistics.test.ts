import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  columnStatistics,
  histogramStatistics,
  ImageStatistics,
  pixelStep,
  quantileOf,
  sampledFrames,
  withoutQuantiles,
} from "#datasets/lerobot/statistics.ts";

describe("columnStatistics", () => {
  it("is per dimension, with the population's standard deviation", () => {
    const statistics = columnStatistics({ dtype: "float32", shape: [2], names: null }, [1, 10, 3, 10, 5, 40]);
    expect(withoutQuantiles(statistics)).toEqual({
      min: [1, 10],
      max: [5, 40],
      mean: [3, 20],
      std: [Math.sqrt(8 / 3), Math.sqrt(200)],
      count: [3],
    });
  });

  it("keeps the shape of what is measured", () => {
    const statistics = columnStatistics({ dtype: "float64", shape: [2, 2], names: null }, [1, 2, 3, 4, 3, 4, 5, 6]);
    expect(statistics.mean).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(columnStatistics({ dtype: "int64", shape: [1], names: null }, [3n, 5n]).mean).toEqual([4]);
  });
});

describe("quantiles", () => {
  it("are interpolated as numpy does", () => {
    const sorted = Float64Array.of(0, 10, 20, 40);
    expect([0, 0.5, 0.9, 1].map((share) => quantileOf(sorted, share))).toBeAllClose([0, 15, 34, 40]);
    expect(quantileOf(Float64Array.of(7), 0.99)).toBe(7);
  });

  it("are those of the pixels, counted by grey level", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (greys) => {
        const pixels = Uint8Array.from(greys, (_, index) => greys[index]!);
        const data = Uint8Array.from({ length: pixels.length * 3 }, (_, index) => pixels[Math.floor(index / 3)]!);
        const images = new ImageStatistics();
        images.add(data, 1, pixels.length);
        const { histogram, frames } = images.finish();
        const found = histogramStatistics(histogram, frames);
        const expected = columnStatistics({ dtype: "float64", shape: [1], names: null }, Array.from(pixels, Number));
        for (const name of ["min", "max", "mean", "std", "q01", "q10", "q50", "q90", "q99"] as const) {
          const [value] = expected[name] as number[];
          expect((found[name] as number[][][])[2]![0]!).toBeAllClose([value! / 255], { absolute: 1e-9, relative: 0 });
        }
      }),
    );
  });
});

describe("what LeRobot samples", () => {
  // Values of lerobot v0.3.3 compute_stats.sample_indices and auto_downsample_height_width.
  it("is every frame up to 100, then fewer, evenly and to the last", () => {
    expect(sampledFrames(1)).toEqual([0]);
    expect(sampledFrames(4)).toEqual([0, 1, 2, 3]);
    expect(sampledFrames(197).length).toBe(100);
    expect(sampledFrames(1000).length).toBe(177);
    expect(sampledFrames(1_000_000).length).toBe(10_000);
    expect(sampledFrames(197).slice(0, 4)).toEqual([0, 2, 4, 6]);
    expect(sampledFrames(197).at(-1)).toBe(196);
  });

  it("is every pixel below 300, then a grid", () => {
    expect([
      pixelStep(240, 299),
      pixelStep(240, 320),
      pixelStep(480, 640),
      pixelStep(640, 480),
      pixelStep(300, 300),
    ]).toEqual([1, 2, 4, 4, 2]);
  });

  it("counts for pictures: 101 frames, of which number 50 is left out", () => {
    const statistics = new ImageStatistics();
    for (let frame = 0; frame < 101; frame++) statistics.add(new Uint8Array(12).fill(frame === 50 ? 255 : frame), 2, 2);
    const { histogram, frames } = statistics.finish();
    const { max, count } = histogramStatistics(histogram, frames);
    expect(count).toEqual([100]);
    const kept = new Set(sampledFrames(101));
    expect(kept.has(50)).toBe(false);
    expect(max).toEqual(Array(3).fill([[100 / 255]]));
  });
});
