import { describe, expect, it } from "@jest/globals";
import {
  countVerdicts,
  findComparable,
  findDisputed,
  findEpisode,
  findFirst,
  makeFilter,
  type VerdictFilter,
} from "#sim-viewer/src/episode/catalog-filter.ts";
import type { Catalog, EpisodeSummary } from "#sim-viewer/src/episode/viewer-protocol.ts";

const episode = (id: string, success: boolean | null, instance: string, more: Partial<EpisodeSummary> = {}) => ({
  id,
  label: id,
  instruction: "push the red block",
  frames: 10,
  rateHz: 10,
  success,
  reasons: success === false ? ["time limit reached"] : [],
  policyId: "lapa",
  task: "block-to-block",
  split: "seen",
  instance,
  ...more,
});

const catalog: Catalog = {
  path: "/runs",
  groups: [
    {
      id: "lapa",
      label: "lapa",
      kind: "rollouts",
      episodes: [episode("broken", null, "", { problem: "cut" }), episode("a", true, "1"), episode("b", false, "2")],
    },
    {
      id: "scratch",
      label: "scratch",
      kind: "rollouts",
      episodes: [episode("c", false, "1"), episode("d", false, "2"), episode("e", true, "1", { problem: "cut" })],
    },
  ],
};
const all = catalog.groups.flatMap((group) => group.episodes);
const disputed = findDisputed(catalog);
const shown = (text: string, verdict: VerdictFilter = "all") =>
  all.filter(makeFilter(text, verdict, disputed)).map(({ id }) => id);

describe("makeFilter", () => {
  it.each([
    ["", "all", ["broken", "a", "b", "c", "d", "e"]],
    ["", "success", ["a", "e"]],
    ["", "failure", ["b", "c", "d"]],
    ["", "differs", ["a", "c", "e"]],
    ["RED  push", "success", ["a", "e"]],
    ["limit", "all", ["b", "c", "d"]],
    ["cut", "all", ["broken", "e"]],
    ["green", "all", []],
  ] as const)("shows what holds the words %p among %p", (text, verdict, ids) => {
    expect(shown(text, verdict)).toEqual([...ids]);
  });
});

describe("findDisputed", () => {
  it("names instances that one episode solved and another failed", () => {
    expect([...disputed]).toEqual(["1"]);
  });

  it("never disputes over episodes without an instance", () => {
    const groups = [{ ...catalog.groups[0]!, episodes: [episode("x", true, ""), episode("y", false, "")] }];
    expect(findDisputed({ path: "", groups }).size).toBe(0);
  });
});

describe("looking up", () => {
  it("finds an episode by group and name", () => {
    expect(findEpisode(catalog, "scratch", "d")?.episode.id).toBe("d");
    expect(findEpisode(catalog, "lapa", "d")).toBeNull();
    expect(findEpisode(catalog, "nobody", "d")).toBeNull();
  });

  it("starts with the first episode that plays, or the first of all", () => {
    expect(findFirst(catalog)?.episode.id).toBe("a");
    const groups = [{ ...catalog.groups[0]!, episodes: [catalog.groups[0]!.episodes[0]!] }];
    expect(findFirst({ path: "", groups })?.episode.id).toBe("broken");
    expect(findFirst({ path: "", groups: [] })).toBeNull();
  });

  it("compares with playable episodes of the same instance in other groups", () => {
    expect(findComparable(catalog, "lapa", all[1]!).map(({ episode: { id } }) => id)).toEqual(["c"]);
    expect(findComparable(catalog, "lapa", all[0]!)).toEqual([]);
  });

  it("counts successes among the judged", () => {
    expect(countVerdicts(catalog.groups[0]!)).toEqual({ successes: 1, judged: 2 });
  });
});
