import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { startViewer } from "#cli/viewer-start.ts";
import { UserError } from "#core/errors.ts";
import { temporaryFolder } from "../datasets/make-video.ts";

const folder = temporaryFolder();
writeFileSync(join(folder, "notes.txt"), "x");

describe("startViewer", () => {
  it.each([
    ["no path", { paths: [] }, "viewer.paths: must name a folder, got none"],
    ["a path that is not there", { paths: ["/no/where"] }, 'got "/no/where", which does not exist'],
    ["a file of another kind", { paths: [join(folder, "notes.txt")] }, "which is neither"],
    ["a host that others reach", { paths: [folder], host: "0.0.0.0" }, "Pass --allowRemote to mean it."],
    [
      "a robot that is no websocket",
      { paths: [], robot: "http://localhost:9090" },
      "Pass one like ws://127.0.0.1:9090.",
    ],
    [
      "to hand a robot's token to others",
      { paths: [], robot: "ws://arm:9090/?token=0123456789abcdef", host: "0.0.0.0", allowRemote: true },
      "must have no token where others can open the viewer",
    ],
    ["a robot without an address", { paths: [folder], robot: "localhost" }, "must be the address of a rosbridge"],
    ["a host that others reach", { paths: [folder], host: "::" }, "Pass --allowRemote to mean it."],
  ])("refuses %s before it builds or listens", async (_, options, sentence) => {
    await expect(startViewer(options)).rejects.toThrow(UserError);
    await expect(startViewer(options)).rejects.toThrow(sentence);
  });
});
