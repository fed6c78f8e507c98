import type { TaskStatus } from "#robot-bridge/protocol/task.ts";
import { element, icon } from "../panels/dom.ts";
import { createPulse, type Pulse } from "./history.ts";
import type { LinkState } from "./robot-feed.ts";

/** What is known of a robot besides its joints. */
type RobotStatus = {
  readonly link: LinkState;
  readonly instruction: string;
  readonly task: TaskStatus | null;
  /** `null`: nobody said anything about the e-stop. */
  readonly isStopped: boolean | null;
  /** Something of the robot that could not be understood. */
  readonly problem: string | null;
};

export type LiveStatus = {
  /** Verdict and instruction over the 3-D view. */
  readonly caption: HTMLElement;
  readonly facts: HTMLElement;
  /** The line where recordings have their playback. */
  readonly bar: HTMLElement;
  readonly joints: Pulse;
  readonly commands: Pulse;
  readonly now: RobotStatus;
  learn(news: Partial<RobotStatus>): void;
  /** Forgets all. @param url of the robot; a token in it is not shown */
  start(url: string): void;
  refresh(nowMs: number): void;
};

/** Joint states and commands that are older than this have stopped, milliseconds. */
export const lateMs = 500;

const linkWords: Readonly<Record<LinkState, string>> = {
  connecting: "Connecting",
  open: "Connected",
  lost: "Link lost: trying again",
};

const unknown: RobotStatus = { link: "connecting", instruction: "", task: null, isStopped: null, problem: null };

function makeBadge({ link, task }: RobotStatus, isLate: boolean): HTMLElement {
  if (link !== "open") return element("span", { class: "badge badge-broken" }, icon("warning"), linkWords[link]);
  if (isLate) return element("span", { class: "badge badge-broken" }, icon("warning"), "Silent");
  if (task?.done) {
    return task.success
      ? element("span", { class: "badge badge-success" }, icon("check"), "Solved")
      : element("span", { class: "badge badge-failure" }, icon("cross"), "Failed");
  }
  return element("span", { class: "badge badge-success" }, element("i", { class: "live-dot" }), "Live");
}

/** "43 Hz, 2 ms ago" */
function describePulse(pulse: Pulse, nowMs: number): string {
  const ageMs = pulse.ageMs(nowMs);
  return ageMs === null ? "none yet" : `${pulse.rateHz(nowMs)} Hz, ${Math.round(ageMs)} ms ago`;
}

/** Makes the words about a robot, renewed from outside. */
export function createLiveStatus(): LiveStatus {
  const caption = element("div", { class: "caption" });
  const list = element("dl", {});
  const problem = element("p", { class: "problem", hidden: true });
  const facts = element("section", { class: "facts", "aria-label": "About this robot" });
  facts.append(element("h2", {}, "Robot"), list, problem);
  const bar = element("div", { class: "transport live-bar", role: "status" });
  const [joints, commands] = [createPulse(), createPulse()];
  let now = unknown;
  let address = "";
  return {
    caption,
    facts,
    bar,
    joints,
    commands,
    get now() {
      return now;
    },
    learn(news) {
      now = { ...now, ...news };
    },
    start(url) {
      now = unknown;
      address = url.replace(/\?.*$/, "");
    },
    refresh(nowMs) {
      const { link, instruction, task, isStopped } = now;
      const isLate = (joints.ageMs(nowMs) ?? Number.POSITIVE_INFINITY) > lateMs;
      const [jointWords, commandWords] = [describePulse(joints, nowMs), describePulse(commands, nowMs)];
      caption.replaceChildren(
        element("div", { class: "caption-line" }, makeBadge(now, isLate)),
        element("p", { class: "caption-instruction" }, instruction),
      );
      const terms: readonly [string, string][] = [
        ["Address", address],
        ["Link", linkWords[link]],
        ["Joints", jointWords],
        ["Commands", commandWords],
        ["E-stop", isStopped === null ? "not heard of" : isStopped ? "on" : "off"],
        ["Episode", task ? `${task.episode}, ${task.elapsedS.toFixed(1)} s` : "–"],
      ];
      list.replaceChildren(
        ...terms.flatMap(([term, value]) => [element("dt", {}, term), element("dd", { title: value }, value)]),
      );
      problem.hidden = now.problem === null;
      problem.replaceChildren(icon("warning"), now.problem ?? "");
      bar.textContent = `${linkWords[link]} · joint states ${jointWords} · commands ${commandWords} · read only`;
    },
  };
}
