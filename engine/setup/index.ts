export { buildAddon } from "./build-addon.ts";
export { defaultCacheFolder } from "./cache-folder.ts";
export { checkRecorded, type Library, type NativeEngine, recordedLibrary } from "./library-record.ts";
export { setupTensorflow } from "./setup-tensorflow.ts";
export { type SetupOptions, setupXla } from "./setup-xla.ts";
