import { describe, expect, it } from "@jest/globals";
import { along, angleBetween, distance, type Point, turned, unit } from "#world/suites/push/plane.ts";
import { isClear, route, travel } from "#world/suites/push/route.ts";
import { WayField } from "#world/suites/push/way-field.ts";

const disc = (x: number, y: number, radius = 0.1) => ({ centre: [x, y] as Point, radius });
const length = (from: Point, way: readonly Point[]) =>
  way.reduce((sum, point, index) => sum + distance(index === 0 ? from : way[index - 1]!, point), 0);

describe("plane", () => {
  it("measures angles", () => {
    for (const angle of [0, 0.1, 0.7, 1.5, 2.4, Math.PI]) {
      const to = turned([1, 0], [Math.cos(angle), Math.sin(angle)]);
      expect(angleBetween([1, 0], to)).toBeCloseTo(angle, 12);
      expect(angleBetween(to, [3, 0])).toBeCloseTo(angle, 12);
    }
  });

  it("gives a vector without length some direction", () => {
    expect(unit([0, 0])).toEqual([1, 0]);
    expect(along([1, 1], unit([0, 2]), 3)).toEqual([1, 4]);
  });
});

describe("route", () => {
  it("goes straight when nothing is in the way", () => {
    expect(route([-0.2, 0], [0.2, 0], [disc(0, 0.2)], 0.3)).toEqual([[0.2, 0]]);
  });

  it("goes around a disc, clear of it and not much longer than the taut string", () => {
    const [from, to]: [Point, Point] = [
      [-0.25, 0],
      [0.25, 0],
    ];
    const discs = [disc(0, 0)];
    const way = route(from, to, discs, 0.3)!;
    for (const [index, point] of way.entries())
      expect(isClear(index === 0 ? from : way[index - 1]!, point, discs)).toBe(true);
    // Two tangents and the arc between them.
    const tangent = Math.sqrt(0.25 ** 2 - 0.1 ** 2);
    const arc = 0.1 * (Math.PI - 2 * Math.acos(0.1 / 0.25));
    expect(length(from, way)).toBeLessThan(1.06 * (2 * tangent + arc));
  });

  it("stays inside the square and says when there is no way", () => {
    const wall = [-0.3, -0.15, 0, 0.15, 0.3].map((y) => disc(0, y, 0.09));
    expect(route([-0.25, 0], [0.25, 0], wall, 0.3)).toBeNull();
    const gap = wall.slice(1);
    const way = route([-0.25, 0], [0.25, 0], gap, 0.3)!;
    expect(way.every(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) <= 0.3)).toBe(true);
  });

  it("gets out of a disc that it starts in", () => {
    const way = route([0.05, 0], [0.25, 0], [disc(0, 0)], 0.3);
    expect(way).toEqual([[0.25, 0]]);
  });
});

describe("travel", () => {
  it("walks along the way and stops at its end", () => {
    const way: Point[] = [
      [0.1, 0],
      [0.1, 0.1],
    ];
    expect(travel([0, 0], way, 0.15)).toBeAllClose([0.1, 0.05]);
    expect(travel([0, 0], way, 9)).toEqual([0.1, 0.1]);
  });
});

describe("WayField", () => {
  it("is the distance to the target on a free table", () => {
    const field = new WayField();
    field.build([0.1, 0.05], []);
    for (const point of [
      [-0.2, -0.2],
      [0.1, -0.2],
      [0.15, 0.1],
    ] as const) {
      // First-order marching overrates by a few per cent, most along the diagonals.
      const true_ = distance(point, [0.1, 0.05]);
      expect(field.value(point)).toBeGreaterThan(0.97 * true_);
      expect(field.value(point)).toBeLessThan(1.12 * true_ + 0.005);
    }
  });

  it("points downhill to the target, around what stands between", () => {
    const field = new WayField();
    field.build([0.2, 0], []);
    expect(field.downhill([-0.2, 0])).toBeAllClose([1, 0], { absolute: 0.02 });
    field.build([0.2, 0], [disc(0, 0.03, 0.12)]);
    const [x, y] = field.downhill([-0.16, 0]);
    expect(x).toBeGreaterThan(0);
    expect(y).toBeLessThan(-0.2);
  });

  it("makes ways through obstacles and over the border dear but not endless", () => {
    const field = new WayField();
    field.build([0.2, 0], [disc(0, 0, 0.1)]);
    const free = field.along([-0.2, 0.2], [1, 0], 0.4);
    const through = field.along([-0.2, 0], [1, 0], 0.4);
    const outside = field.along([-0.2, 0.29], [1, 0], 0.4);
    expect(free).toBeCloseTo(0.4, 6);
    expect(through).toBeGreaterThan(3 * free);
    expect(outside).toBeGreaterThan(3 * free);
    expect(Number.isFinite(field.value([0, 0]))).toBe(true);
  });
});
