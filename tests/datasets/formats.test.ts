import { join } from "node:path";
import { openHdf5 } from "#datasets/hdf5/reader.ts";
import { createRobomimicWriter } from "#datasets/hdf5/writer.ts";
import { createLeRobotWriter, openLeRobot } from "#datasets/lerobot/index.ts";
import { createMcapSet, openMcapSet } from "#datasets/mcap/episodes.ts";
import { openRlds } from "#datasets/rlds/reader.ts";
import { createRldsWriter } from "#datasets/rlds/writer.ts";
import { contractCamera, type DatasetFormat, datasetContract } from "../contracts/dataset.contract.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
let count = 0;
let last = "";
const fresh = (extension = "") => {
  last = join(folder, `set-${count++}${extension}`);
  return last;
};
const lerobot = (version: "v2.1" | "v3.0", pictures: "video" | "image"): DatasetFormat => ({
  name: `LeRobot ${version} with ${pictures} features`,
  create: (features, fps) => {
    const camera = { ...features[contractCamera]!, dtype: pictures };
    const all = { ...features, [contractCamera]: camera };
    return createLeRobotWriter(fresh(), { version, features: all, fps, robotType: "pusher" });
  },
  open: () => openLeRobot(last),
  pictureTolerance: pictures === "image" ? 0 : 2,
});

for (const version of ["v2.1", "v3.0"] as const) {
  datasetContract(lerobot(version, "video"));
  datasetContract(lerobot(version, "image"));
}
datasetContract({
  name: "robomimic HDF5",
  create: (features, fps) => createRobomimicWriter(fresh(".hdf5"), { features, fps, robotType: "pusher" }),
  open: () => openHdf5(last),
  pictureTolerance: 0,
});
datasetContract({
  name: "MCAP",
  create: (features, fps) => createMcapSet(fresh(), { features, fps, robotType: "pusher" }),
  open: () => openMcapSet(last),
  pictureTolerance: 0,
});
datasetContract({
  name: "RLDS",
  create: (features, fps) => createRldsWriter(fresh(), { features, fps, robotType: "pusher" }),
  open: () => openRlds(last),
  pictureTolerance: 0,
});
