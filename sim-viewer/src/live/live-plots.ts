import type { JointState, JointTrajectory } from "#robot-bridge/protocol/messages.ts";
import { secondsFromNs } from "#robot-bridge/protocol/stamp.ts";
import { type Chart, channelColor, createChart } from "../panels/chart.ts";
import { element } from "../panels/dom.ts";
import { formatValue } from "../panels/plots.ts";
import { createHistory, createStampClock, type History } from "./history.ts";

/** How much of the past the plots show, seconds. */
const shownS = 20;

export type LivePlots = {
  readonly root: HTMLElement;
  joints(topic: string, state: JointState, nowS: number): void;
  /** Commanded positions are drawn dashed over the measured ones of the same joints. */
  command(trajectory: JointTrajectory, nowS: number): void;
  update(nowS: number): void;
  clear(): void;
};

type Plot = {
  readonly names: readonly string[];
  readonly measured: History;
  readonly commanded: History;
  readonly measuredAt: ReturnType<typeof createStampClock>;
  readonly chart: Chart;
  readonly values: readonly HTMLElement[];
  readonly root: HTMLElement;
  last: Float64Array;
};

function makePlot(topic: string, names: readonly string[]): Plot {
  const area = element("div", { class: "plot-area" });
  const empty = { series: { name: topic, channels: names, values: names.map(() => []) }, timestampsS: [] };
  const chart = createChart(area, empty, empty, null);
  const values = names.map(() => element("span", { class: "legend-value" }));
  const items = names.map((name, channel) => {
    const item = element(
      "div",
      { class: "legend-item" },
      element("i", {}),
      element("span", { class: "legend-name", title: name }, name),
      values[channel],
    );
    item.style.setProperty("--color", channelColor(channel));
    return item;
  });
  const root = element(
    "section",
    { class: "plot", "aria-label": `Plot of ${topic}` },
    element("h2", {}, topic, element("span", { class: "plot-key" }, "solid: measured · dashed: commanded")),
    area,
    element("div", { class: "legend" }, ...items),
  );
  const history = () => createHistory(names.length, shownS);
  const last = new Float64Array(names.length);
  const histories = { measured: history(), commanded: history(), measuredAt: createStampClock() };
  return { names, ...histories, chart, values, root, last };
}

/** Plots that run along with the robot, one for each topic of joint states. */
export function createLivePlots(): LivePlots {
  const root = element("div", { class: "plots" });
  const plots = new Map<string, Plot>();
  const commandedAt = createStampClock();
  const plotOf = (topic: string, names: readonly string[]): Plot => {
    const known = plots.get(topic);
    if (known && known.names.join("\n") === names.join("\n")) return known;
    const made = makePlot(topic, names);
    known?.chart.dispose();
    if (known) known.root.replaceWith(made.root);
    else root.append(made.root);
    plots.set(topic, made);
    return made;
  };
  return {
    root,
    joints(topic, { names, positions, stampNs }, nowS) {
      const plot = plotOf(topic, names);
      plot.measured.add(plot.measuredAt(secondsFromNs(stampNs), nowS), positions);
      plot.last = positions;
    },
    command({ names, points, stampNs }, nowS) {
      const timeS = commandedAt(secondsFromNs(stampNs), nowS);
      const target = points[0]?.positions;
      if (!target) return;
      for (const plot of plots.values()) {
        const columns = plot.names.map((name) => names.indexOf(name));
        if (columns.some((column) => column >= 0)) {
          plot.commanded.add(
            timeS,
            columns.map((column) => target[column] ?? Number.NaN),
          );
        }
      }
    },
    update(nowS) {
      for (const { measured, commanded, chart, values, last } of plots.values()) {
        const [own, other] = [measured.read(nowS), commanded.read(nowS)];
        const ago = (timesS: readonly number[]) => timesS.map((timeS) => timeS - nowS);
        chart.setData([ago(own.timesS), own.values], [ago(other.timesS), other.values], [-shownS, 0]);
        values.forEach((node, channel) => {
          node.textContent = formatValue(last[channel]);
        });
      }
    },
    clear() {
      for (const { chart } of plots.values()) chart.dispose();
      plots.clear();
      root.replaceChildren();
    },
  };
}
