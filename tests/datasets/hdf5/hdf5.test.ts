import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { FormatError } from "#core/errors.ts";
import { createHdf5File } from "#datasets/hdf5/hdf5-file.ts";
import { openHdf5 } from "#datasets/hdf5/reader.ts";
import { makeVideo, temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** As LIBERO writes it: doubles, pictures bottom row first, the task in an attribute. */
async function libero(path: string): Promise<string> {
  const file = await createHdf5File(path);
  const data = file.create_group("data");
  data.create_attribute("problem_info", JSON.stringify({ language_instruction: ["put the bowl on the plate"] }));
  data.create_attribute("env_args", JSON.stringify({ env_kwargs: { control_freq: 10 } }));
  for (const [name, length] of [
    ["demo_10", 2],
    ["demo_2", 3],
  ] as const) {
    const demo = data.create_group(name);
    demo.create_dataset({
      name: "actions",
      data: Float64Array.from({ length: length * 7 }, (_, index) => index / 8),
      shape: [length, 7],
    });
    demo.create_dataset({
      name: "dones",
      data: Uint8Array.from({ length }, (_, index) => Number(index === length - 1)),
      shape: [length],
    });
    const pixels = Uint8Array.from({ length: length * 4 * 6 * 3 }, (_, index) =>
      Math.floor(index / 18) % 4 === 3 ? 200 : 10,
    );
    const obs = demo.create_group("obs");
    obs.create_dataset({ name: "agentview_rgb", data: pixels, shape: [length, 4, 6, 3], dtype: "<B" });
    obs.create_dataset({ name: "ee_pos", data: new Float64Array(length * 3).fill(0.5), shape: [length, 3] });
  }
  file.close();
  return path;
}

/** As ALOHA writes it when it compresses: jpeg bytes in rows of one length. */
async function aloha(path: string): Promise<string> {
  const jpegs = await Promise.all(
    ["red", "blue"].map(async (colour) => {
      await makeVideo(
        at(`${colour}.jpg`),
        "-f",
        "lavfi",
        "-i",
        `color=${colour}:size=32x16`,
        "-frames:v",
        "1",
        "-f",
        "image2",
        "-pix_fmt",
        "yuvj444p",
      );
      return readFileSync(at(`${colour}.jpg`));
    }),
  );
  const width = Math.max(...jpegs.map(({ length }) => length)) + 20;
  const rows = Buffer.concat(jpegs.map((bytes) => Buffer.concat([bytes, Buffer.alloc(width - bytes.length)])));
  const file = await createHdf5File(path);
  file.create_dataset({ name: "action", data: new Float32Array(2 * 14).fill(0.25), shape: [2, 14] });
  const observations = file.create_group("observations");
  observations.create_dataset({ name: "qpos", data: new Float32Array(2 * 14).fill(1.5), shape: [2, 14] });
  observations
    .create_group("images")
    .create_dataset({ name: "cam_high", data: Uint8Array.from(rows), shape: [2, width], dtype: "<B" });
  file.close();
  return path;
}

describe("openHdf5", () => {
  it("reads LIBERO's layout: demonstrations by number, the task, the rate, doubles as they are", async () => {
    const reader = await openHdf5(await libero(at("libero.hdf5")));
    expect(reader.info).toMatchObject({
      format: "hdf5-robomimic",
      episodes: 2,
      frames: 5,
      fps: 10,
      metadata: { fpsIsAssumed: false },
    });
    const { length, tasks, timestampsS, columns } = await reader.episode(0);
    expect([length, tasks, [...timestampsS]]).toEqual([3, ["put the bowl on the plate"], [0, 0.1, 0.2]]);
    expect(columns.action).toEqual(Float64Array.from({ length: 21 }, (_, index) => index / 8));
    expect(columns["next.done"]).toEqual(Float64Array.of(0, 0, 1));
    expect(columns["observation.ee_pos"]).toEqual(new Float64Array(9).fill(0.5));
    await reader.close();
  });

  it("puts pictures upright that are stored bottom row first", async () => {
    const topRow = async (flip: "none" | "vertical") => {
      const reader = await openHdf5(at("libero.hdf5"), { flip });
      for await (const { data } of reader.frames(0, "observation.images.agentview_rgb")) return data[0];
      return undefined;
    };
    expect([await topRow("none"), await topRow("vertical")]).toEqual([10, 200]);
  });

  it("reads ALOHA's layout with compressed pictures", async () => {
    const reader = await openHdf5(await aloha(at("episode_0.hdf5")));
    expect(reader.info).toMatchObject({
      format: "hdf5-aloha",
      episodes: 1,
      frames: 2,
      fps: 50,
      metadata: { fpsIsAssumed: true },
    });
    expect(reader.info.features["observation.images.cam_high"]!.shape).toEqual([16, 32, 3]);
    expect((await reader.episode(0)).columns["observation.state"]).toEqual(new Float32Array(28).fill(1.5));
    const colours: number[][] = [];
    for await (const { data } of reader.frames(0, "observation.images.cam_high"))
      colours.push([...data.subarray(0, 3)]);
    expect(colours.flat()).toBeAllClose([255, 0, 0, 0, 0, 255], { absolute: 4, relative: 0 });
    await reader.close();
  });

  it("refuses what is missing, no HDF5, cut, or of another layout", async () => {
    const refusal = (path: string) => expect(openHdf5(path)).rejects;
    await refusal(at("none.hdf5")).toThrow(FormatError);
    writeFileSync(at("text.hdf5"), "this is not HDF5");
    await refusal(at("text.hdf5")).toThrow("must be an HDF5 file, but does not begin like one");
    writeFileSync(at("cut.hdf5"), readFileSync(at("libero.hdf5")).subarray(0, 900));
    await refusal(at("cut.hdf5")).toThrow(FormatError);
    const other = await createHdf5File(at("other.hdf5"));
    other.create_group("something");
    other.close();
    await refusal(at("other.hdf5")).toThrow(
      'must have demonstrations under "data" (robomimic, LIBERO) or "observations" (ALOHA)',
    );
  });
});
