import { distance, type Point } from "./plane.ts";

/** A disc that a moving point must stay out of. */
export type Disc = { readonly centre: Point; readonly radius: number };

/** Corner directions around a disc: 12, slightly outside so that chords between neighbours stay clear of it. */
const around: readonly Point[] = [0, 1, 2, 3].flatMap((quarter) =>
  (
    [
      [1, 0],
      [0.8660254, 0.5],
      [0.5, 0.8660254],
    ] as const
  ).map(([x, y]) => turnQuarters([x, y], quarter)),
);
const outside = 1.05;

function turnQuarters([x, y]: Point, quarters: number): Point {
  return (
    [
      [x, y],
      [-y, x],
      [-x, -y],
      [y, -x],
    ] as const
  )[quarters]!;
}

/** Shortest distance from a disc's centre to the segment minus its radius is positive. */
export function isClear(from: Point, to: Point, discs: readonly Disc[]): boolean {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const lengthSquared = dx * dx + dy * dy;
  return discs.every(({ centre, radius }) => {
    const [cx, cy] = [centre[0] - from[0], centre[1] - from[1]];
    const share = lengthSquared === 0 ? 0 : Math.min(1, Math.max(0, (cx * dx + cy * dy) / lengthSquared));
    return (cx - share * dx) ** 2 + (cy - share * dy) ** 2 >= radius * radius;
  });
}

/**
 * Waypoints of a short way from `from` to `to` around discs, inside a square of half-width `limit` (Dijkstra on the
 * visibility graph of points around the discs). A disc that holds an end is shrunk until it does not.
 *
 * @returns the points to visit in straight lines, `to` last, or null when there is no way
 */
export function route(from: Point, to: Point, discs: readonly Disc[], limit: number): Point[] | null {
  const shrunk = discs.map(({ centre, radius }) => ({
    centre,
    radius: Math.min(radius, 0.99 * distance(centre, from), 0.99 * distance(centre, to)),
  }));
  if (isClear(from, to, shrunk)) return [to];
  const corners = shrunk
    .flatMap(({ centre, radius }) =>
      around.map(([x, y]): Point => [centre[0] + outside * radius * x, centre[1] + outside * radius * y]),
    )
    .filter(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) <= limit)
    .filter((corner) => shrunk.every(({ centre, radius }) => distance(corner, centre) >= radius));
  const nodes = [from, ...corners, to];
  const cost = nodes.map((_, index) => (index === 0 ? 0 : Number.POSITIVE_INFINITY));
  const before = nodes.map(() => -1);
  const open = new Set(nodes.keys());
  for (;;) {
    let best = -1;
    for (const node of open) if (cost[node]! < (best < 0 ? Number.POSITIVE_INFINITY : cost[best]!)) best = node;
    if (best < 0) return null;
    if (best === nodes.length - 1) break;
    open.delete(best);
    for (const node of open) {
      const length = cost[best]! + distance(nodes[best]!, nodes[node]!);
      if (length >= cost[node]! || !isClear(nodes[best]!, nodes[node]!, shrunk)) continue;
      cost[node] = length;
      before[node] = best;
    }
  }
  const way: Point[] = [];
  for (let node = nodes.length - 1; node > 0; node = before[node]!) way.unshift(nodes[node]!);
  return way;
}

/** Where one gets from `from` by going `length` metres along the waypoints. */
export function travel(from: Point, way: readonly Point[], length: number): Point {
  let [at, left] = [from, length];
  for (const point of way) {
    const leg = distance(at, point);
    if (leg >= left) return [at[0] + ((point[0] - at[0]) * left) / leg, at[1] + ((point[1] - at[1]) * left) / leg];
    at = point;
    left -= leg;
  }
  return at;
}
