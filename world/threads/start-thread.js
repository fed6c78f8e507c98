// First file of a worker thread: plain JavaScript, because a thread starts without the TypeScript loader.
import { register } from "tsx/esm/api";

register();
await import("./thread.ts");
