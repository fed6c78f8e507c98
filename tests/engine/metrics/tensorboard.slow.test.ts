import { execFileSync } from "node:child_process";
import { describe, expect, it } from "@jest/globals";
import { createEventFile } from "#engine/index.ts";
import { temporaryFolder } from "../small-training.ts";

const python = (code: string, ...words: string[]) =>
  execFileSync("python3", ["-c", code, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

const hasTensorBoard = (() => {
  try {
    python("import tensorboard");
    return true;
  } catch {
    return false;
  }
})();

const read = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [[e.wall_time, e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

(hasTensorBoard ? describe : describe.skip)("TensorBoard (needs the Python package tensorboard)", () => {
  it("reads the scalars, and of a resumed run only those that still hold", () => {
    const directory = temporaryFolder();
    const first = createEventFile({ directory, fromStep: 1, now: () => 100 });
    for (const step of [1, 2, 3, 4]) first.scalars(step, { loss: step / 4, "eval/success": 1 });
    const second = createEventFile({ directory, fromStep: 3, now: () => 200 });
    second.scalars(3, { loss: 7 });
    expect(JSON.parse(python(read, directory))).toEqual({
      loss: [
        [100, 1, 0.25],
        [100, 2, 0.5],
        [200, 3, 7],
      ],
      "eval/success": [
        [100, 1, 1],
        [100, 2, 1],
      ],
    });
  });
});
