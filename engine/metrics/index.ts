export { createEventFile, type EventFile } from "./event-file.ts";
export { appendMetrics, type MetricsRow, readMetrics, rewindMetrics } from "./metrics-file.ts";
