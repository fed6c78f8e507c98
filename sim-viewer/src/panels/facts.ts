import type { EpisodeDetail } from "../episode/viewer-protocol.ts";
import { element, icon } from "./dom.ts";

/** What is known about the episode in words: verdict with its reasons, and the facts that name it. */
export function makeFacts({ summary, timestampsS, notes }: EpisodeDetail, groupLabel: string): HTMLElement {
  const lengthS = (timestampsS.at(-1) ?? 0) - (timestampsS[0] ?? 0);
  const facts: readonly [string, string][] = [
    ["Policy", summary.policyId],
    ["Task", summary.task],
    ["Split", summary.split],
    ["Length", `${timestampsS.length} frames, ${lengthS.toFixed(2)} s at ${+summary.rateHz.toFixed(2)} Hz`],
    ["From", `${groupLabel} / ${summary.id}`],
    ["Instance", summary.instance.slice(0, 12)],
  ];
  const terms = facts
    .filter(([, value]) => value !== "")
    .flatMap(([term, value]) => [element("dt", {}, term), element("dd", { title: value }, value)]);
  const reasons = summary.reasons.map((reason) => element("li", {}, reason));
  return element(
    "section",
    { class: "facts", "aria-label": "About this episode" },
    element("h2", {}, "Episode"),
    reasons.length > 0
      ? element("ul", { class: `reasons ${summary.success ? "" : "reasons-failure"}` }, ...reasons)
      : null,
    element("dl", {}, ...terms),
    ...notes.map((note) => element("p", { class: "problem" }, icon("warning"), note)),
  );
}
