/** @file Progress of a long command: one rewritten line on a terminal, now and then a plain line elsewhere. */
import type { Clock } from "./clock.ts";

export type Fields = Readonly<Record<string, string | number>>;

export type Progress = {
  /** @param done units finished so far, of the total @param fields shown behind, in order */
  update(done: number, fields?: Fields): void;
  /** Ends the line with the time it took. */
  finish(note?: string): void;
};

export type ProgressOutput = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

export type ProgressOptions = {
  readonly label: string;
  readonly total: number;
  /** What is counted: "steps", "episodes". */
  readonly unit: string;
  readonly output: ProgressOutput;
  readonly clock: Clock;
};

/** "1:05", "2:03:09" */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** Three significant digits without exponents for everyday sizes. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4);
}

const terminalEveryS = 0.1;
const plainEveryS = 15;
const barLength = 20;

const bar = (share: number) => {
  const full = Math.round(share * barLength);
  return `${"#".repeat(full)}${".".repeat(barLength - full)}`;
};

const showFields = (fields: Fields) =>
  Object.entries(fields)
    .map(([key, value]) => `${key} ${typeof value === "number" ? formatNumber(value) : value}`)
    .join("  ");

export function createProgress({ label, total, unit, output, clock }: ProgressOptions): Progress {
  const startNs = clock.nowNs();
  const terminal = output.isTTY === true;
  let shownS = terminal ? -terminalEveryS : 0;
  let first: number | undefined;
  const elapsedS = () => Number(clock.nowNs() - startNs) / 1e9;

  const line = (done: number, fields: Fields, nowS: number) => {
    const share = total > 0 ? Math.min(1, done / total) : 1;
    // What was done before the start (a resumed run) says nothing about the speed.
    const rate = (done - (first ?? done)) / Math.max(nowS, 1e-9);
    const left = rate > 0 ? `  ${formatDuration((total - done) / rate)} left` : "";
    const speed = rate > 0 ? `  ${formatNumber(rate)} ${unit}/s` : "";
    return `${label}  ${bar(share)} ${Math.floor(share * 100)} %${speed}${left}  ${showFields(fields)}`.trimEnd();
  };
  const rewrite = (text: string) =>
    output.write(`\r\x1b[2K${text.slice(0, Math.max(20, (output.columns ?? 100) - 1))}`);

  return {
    update(done, fields = {}) {
      first ??= done === 0 || done === 1 ? 0 : done;
      const nowS = elapsedS();
      if (nowS - shownS < (terminal ? terminalEveryS : plainEveryS)) return;
      shownS = nowS;
      const text = line(done, fields, nowS);
      if (terminal) rewrite(text);
      else output.write(`${text}\n`);
    },
    finish(note) {
      const text = `${label}  done in ${formatDuration(elapsedS())}${note === undefined ? "" : `  ${note}`}`;
      if (terminal) output.write(`\r\x1b[2K${text}\n`);
      else output.write(`${text}\n`);
    },
  };
}
