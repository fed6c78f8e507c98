import { stat } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "#core/errors.ts";
import { convertLeRobot, openLeRobot } from "./lerobot/index.ts";
import { repairMcap } from "./mcap/repair.ts";
import { repairRlds } from "./rlds/repair.ts";

export type Repaired = {
  /** How much was saved, in `unit`. */
  readonly saved: number;
  readonly unit: "messages" | "episodes";
  /** One sentence for everything that was lost. */
  readonly lost: readonly string[];
};

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Writes what is whole of a damaged recording (MCAP) or data set (LeRobot, RLDS) to a new place; the original stays as
 * it is. Of a LeRobot set all episodes are kept whose rows and videos are whole and agree, packet by packet; a v2.0 set
 * becomes v2.1.
 *
 * @throws UserError when the place is taken; FormatError when nothing can be saved or the format cannot be repaired
 */
export async function repairDataset(
  from: string,
  to: string,
  options: { readonly onProgress?: (done: number, total: number) => void; readonly signal?: AbortSignal } = {},
): Promise<Repaired> {
  if (from.endsWith(".mcap")) {
    const { messages, problem } = await repairMcap(from, to);
    return { saved: messages, unit: "messages", lost: problem === undefined ? [] : [problem] };
  }
  if (await exists(join(from, "features.json"))) {
    return { unit: "episodes", ...(await repairRlds(from, to, options.signal)) };
  }
  if (await exists(join(from, "meta/info.json"))) {
    const reader = await openLeRobot(from);
    const lost: string[] = [];
    const saved = await convertLeRobot(reader, to, {
      version: reader.version === "v3.0" ? "v3.0" : "v2.1",
      ...options,
      onProblem: ({ episode, message }) => lost.push(`episode ${episode}: ${message}`),
    });
    return { saved, unit: "episodes", lost };
  }
  throw new FormatError(
    from,
    'must be a recording (.mcap), a LeRobot or an RLDS set to be repaired. "rosbag reindex" mends ROS 1 bags, "h5clear" HDF5.',
  );
}
