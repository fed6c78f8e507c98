import { keepPartPictures } from "./part-pictures.ts";
import type { EpisodeStore, StoreOptions } from "./store.ts";
import { createStoreV21 } from "./store-v21.ts";
import { createStoreV30 } from "./store-v30.ts";

export type WritableVersion = "v2.1" | "v3.0";

export function createStore(version: WritableVersion, options: StoreOptions): EpisodeStore {
  const store = version === "v3.0" ? createStoreV30(options) : createStoreV21(options);
  return options.isPart ? keepPartPictures(store, options.folder) : store;
}
