import { reachM } from "../../tabletop/workspace.ts";
import { distance, dot, type Point, subtract, unit } from "./plane.ts";
import type { Disc } from "./route.ts";

/** Bound once: looked up in a sandboxed global (tests, some embedders) they are a hundred times slower. */
const { abs, floor, max, min, round, sqrt } = Math;

/** Cells along the side of the table, and their side, metres. */
const side = 35;
const cellM = (2 * (reachM + 0.02)) / (side - 1);
/** A metre through the middle of an obstacle counts as so many metres more; it falls to nothing at its rim. */
const obstacleCost = 10;
/** From here on outwards the tip has no room behind a block any more to bring it back, metres from the centre. */
const recoverableM = 0.235;
/** What every metre farther out adds to the cost of a metre. */
const outsideCost = 60;
/** Sweeps over the grid, four directions each; values settle after two or three around convex obstacles. */
const rounds = 3;

/**
 * Cost of the way to a target from everywhere on the table, metres on free table: the eikonal equation `|∇V| = c` on a
 * grid, by fast sweeping (Zhao 2005). Obstacles are soft: what is pushed through them is dear, not impossible, so there
 * is always a way and it changes smoothly as things move.
 */
export class WayField {
  private readonly costs = new Float64Array(side * side);
  private readonly values = new Float64Array(side * side);
  private target: Point = [0, 0];

  /** Computes the field; far out only the target itself is cheap. */
  build(target: Point, obstacles: readonly Disc[]): void {
    this.target = target;
    const outside = max(recoverableM, abs(target[0]), abs(target[1]));
    for (let row = 0, at = 0; row < side; row++) {
      for (let column = 0; column < side; column++, at++) {
        const point: Point = [(column - (side - 1) / 2) * cellM, (row - (side - 1) / 2) * cellM];
        let cost = 1 + outsideCost * max(0, max(abs(point[0]), abs(point[1])) - outside);
        for (const { centre, radius } of obstacles) {
          cost += obstacleCost * max(0, 1 - distance(point, centre) / radius);
        }
        this.costs[at] = cost;
        const away = distance(point, target);
        this.values[at] = away < 1.5 * cellM ? away * cost : Number.POSITIVE_INFINITY;
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const down of [1, -1]) for (const across of [1, -1]) this.sweep(down, across);
    }
  }

  private sweep(down: number, across: number): void {
    const { costs, values } = this;
    for (let i = 0; i < side; i++) {
      const row = down > 0 ? i : side - 1 - i;
      for (let j = 0; j < side; j++) {
        const column = across > 0 ? j : side - 1 - j;
        const at = row * side + column;
        const left = column > 0 ? values[at - 1]! : Number.POSITIVE_INFINITY;
        const right = column < side - 1 ? values[at + 1]! : Number.POSITIVE_INFINITY;
        const above = row > 0 ? values[at - side]! : Number.POSITIVE_INFINITY;
        const below = row < side - 1 ? values[at + side]! : Number.POSITIVE_INFINITY;
        const a = min(left, right);
        const b = min(above, below);
        const length = costs[at]! * cellM;
        const value = abs(a - b) < length ? (a + b + sqrt(2 * length * length - (a - b) ** 2)) / 2 : min(a, b) + length;
        if (value < values[at]!) values[at] = value;
      }
    }
  }

  /** Cost of the way from a point to the target. */
  value(point: Point): number {
    const away = distance(point, this.target);
    return away < cellM ? away : interpolate(this.values, point);
  }

  /** Unit vector in which the cost falls fastest. */
  downhill([x, y]: Point): Point {
    const toTarget = subtract(this.target, [x, y]);
    if (dot(toTarget, toTarget) < (2 * cellM) ** 2) return unit(toTarget);
    const slope = (dx: number, dy: number) =>
      interpolate(this.values, [x - dx, y - dy]) - interpolate(this.values, [x + dx, y + dy]);
    return unit([slope(cellM, 0), slope(0, cellM)]);
  }

  /** Cost of going straight from `from` along a unit vector. */
  along(from: Point, [x, y]: Point, lengthM: number): number {
    const steps = max(1, round(lengthM / 0.015));
    let sum = 0;
    for (let step = 0; step < steps; step++) {
      const at = ((step + 0.5) / steps) * lengthM;
      sum += interpolate(this.costs, [from[0] + at * x, from[1] + at * y]);
    }
    return (sum * lengthM) / steps;
  }
}

function interpolate(grid: Float64Array, [x, y]: Point): number {
  const u = min(side - 1.001, max(0, x / cellM + (side - 1) / 2));
  const v = min(side - 1.001, max(0, y / cellM + (side - 1) / 2));
  const column = floor(u);
  const row = floor(v);
  const at = row * side + column;
  const above = grid[at]! + (u - column) * (grid[at + 1]! - grid[at]!);
  const below = grid[at + side]! + (u - column) * (grid[at + side + 1]! - grid[at + side]!);
  return above + (v - row) * (below - above);
}
