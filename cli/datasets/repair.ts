import { z } from "zod";
import { repairDataset } from "#datasets/repair-dataset.ts";
import { defineCommand } from "../command.ts";

export const repair = defineCommand({
  summary: "saves what is whole of a cut recording or a damaged data set, and names what is lost",
  config: z.strictObject({
    path: z.string().describe("recording (.mcap), LeRobot or RLDS set; stays as it is"),
    out: z.string().describe("file or folder to write; must not be there yet"),
  }),
  positionals: ["path", "out"],
  example: "datasets repair runs/drive/cut.mcap runs/drive/whole.mcap",
  async run({ path, out }, { progress, signal, log, print, result }) {
    let line: ReturnType<typeof progress> | undefined;
    const { saved, unit, lost } = await repairDataset(path, out, {
      signal,
      onProgress: (done, total) => {
        line ??= progress("repair", total, "episodes");
        line.update(done);
      },
    });
    line?.finish(out);
    for (const problem of lost) log.warn(`lost: ${problem}`);
    print(`${out}: ${saved} ${unit} saved${lost.length === 0 ? ", nothing was damaged" : ""}`);
    result({ out, saved, unit, lost });
  },
});
