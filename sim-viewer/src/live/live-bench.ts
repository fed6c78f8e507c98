import type { JointTrajectory } from "#robot-bridge/protocol/messages.ts";
import { element } from "../panels/dom.ts";
import { createLivePane } from "./live-pane.ts";
import { createLivePictures } from "./live-pictures.ts";
import { createLivePlots } from "./live-plots.ts";
import { createLiveStatus, lateMs } from "./live-status.ts";
import { openPageSocket, pageTime } from "./page-socket.ts";
import { connectFeed, type FeedEvents } from "./robot-feed.ts";

/** @file Everything that shows a robot as it is now: 3-D from its description, pictures, joints, link and task. */

export type LiveBench = {
  readonly stage: HTMLElement;
  readonly side: HTMLElement;
  readonly plots: HTMLElement;
  readonly bar: HTMLElement;
  connect(url: string): void;
  disconnect(): void;
  /** Draws what is new; called with every animation frame. */
  draw(): void;
};

/** Words and plots are renewed this often, milliseconds; the 3-D with every frame. */
const refreshEveryMs = 100;

/** Builds the empty parts; nothing is connected yet. */
export function createLiveBench(): LiveBench {
  const status = createLiveStatus();
  const pictures = createLivePictures();
  const plots = createLivePlots();
  const pane = createLivePane(status.caption);
  const side = element("aside", { "aria-label": "Robot", hidden: true }, status.facts, pictures.root);
  let feed: { close(): void } | null = null;
  let newestCommand: JointTrajectory | null = null;
  let refreshedMs = 0;
  const nowS = () => performance.now() / 1000;

  const events: FeedEvents = {
    link: (link) => status.learn({ link }),
    joints(topic, state) {
      status.joints.beat(performance.now());
      plots.joints(topic, state, nowS());
      pane.joints(state);
    },
    command(_topic, trajectory) {
      status.commands.beat(performance.now());
      plots.command(trajectory, nowS());
      newestCommand = trajectory;
    },
    picture: pictures.show,
    instruction: (instruction) => status.learn({ instruction }),
    task: (task) => status.learn({ task, instruction: task.instruction }),
    estop: (isStopped) => status.learn({ isStopped }),
    description(urdf) {
      try {
        pane.describe(urdf);
      } catch (error) {
        status.learn({ problem: `The robot's description could not be drawn: ${(error as Error).message}.` });
      }
    },
    problem: (problem) => status.learn({ problem }),
  };
  const refresh = (nowMs: number) => {
    // A command that nothing follows is over: its way no longer lies ahead.
    if ((status.commands.ageMs(nowMs) ?? 0) > lateMs) newestCommand = null;
    pane.command(newestCommand);
    status.refresh(nowMs);
    plots.update(nowMs / 1000);
    const isOpen = status.now.link === "open";
    const words = isOpen
      ? "The robot has no description (/robot_description) and no pictures."
      : "No link to the robot.";
    pane.place(pictures, side, words);
  };
  return {
    stage: pane.root,
    side,
    plots: plots.root,
    bar: status.bar,
    connect(url) {
      if (feed) return;
      status.start(url);
      feed = connectFeed({ url, events, openSocket: openPageSocket, time: pageTime });
    },
    disconnect() {
      feed?.close();
      feed = null;
      newestCommand = null;
      pane.clear();
      pictures.clear();
      plots.clear();
    },
    draw() {
      if (!feed) return;
      const nowMs = performance.now();
      if (nowMs - refreshedMs > refreshEveryMs) {
        refreshedMs = nowMs;
        refresh(nowMs);
      }
      pane.draw();
    },
  };
}
