import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { parseConfig } from "#core/config/resolve.ts";
import { UserError } from "#core/errors.ts";
import { decodePng } from "#core/image/png.ts";
import { openMcap } from "#datasets/mcap/records.ts";
import { bridgeRecordConfig } from "#robot-bridge/config.ts";
import { recordFrom } from "#robot-bridge/from-config.ts";
import { BridgeRig } from "../doubles/bridge-rig.ts";

let rig: BridgeRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function read(path: string) {
  const { reader, close } = await openMcap(path);
  const topics: Record<string, { schema: string; messages: Record<string, unknown>[]; stampsNs: bigint[] }> = {};
  for await (const { channelId, data, logTime } of reader.readMessages()) {
    const channel = reader.channelsById.get(channelId)!;
    const schema = reader.schemasById.get(channel.schemaId)!.name;
    topics[channel.topic] ??= { schema, messages: [], stampsNs: [] };
    const topic = topics[channel.topic]!;
    topic.messages.push(JSON.parse(Buffer.from(data).toString()));
    topic.stampsNs.push(logTime);
  }
  await close();
  return topics;
}

describe("recordRobot", () => {
  it("writes what robot and commander said, stamped by the robot", async () => {
    rig = await new BridgeRig().open();
    const place = mkdtempSync(join(tmpdir(), "recording-"));
    const file = join(place, "run.mcap");
    const stop = new AbortController();
    const progress: number[] = [];
    const recording = recordFrom(parseConfig(bridgeRecordConfig, { robot: rig.url, file }), {
      signal: stop.signal,
      onProgress: ({ seconds }) => progress.push(seconds),
    });
    const running = rig.run({ durationS: 1 });
    expect(existsSync(file)).toBe(false);
    await running;
    stop.abort();
    const summary = await recording;
    expect(summary).toMatchObject({ notUnderstood: 0, dropped: 0 });
    expect(progress.length).toBeGreaterThan(1);
    expect(existsSync(`${file}.part`)).toBe(false);
    const topics = await read(file);
    expect(Object.fromEntries(Object.entries(topics).map(([topic, { messages }]) => [topic, messages.length]))).toEqual(
      summary.messages,
    );
    const joints = topics["/joint_states"]!;
    expect(joints.messages.length).toBeGreaterThan(30);
    expect((joints.messages[0]!.scalars as { label: string }[]).map(({ label }) => label).slice(0, 2)).toEqual([
      "waist position",
      "shoulder position",
    ]);
    expect(Math.abs(Number(joints.stampsNs[0]) / 1e6 - Date.now())).toBeLessThan(60_000);
    const commands = topics["/arm_controller/joint_trajectory"]!.messages;
    expect(commands.length).toBeGreaterThan(20);
    const camera = topics["/camera/front/compressed"]!;
    expect(camera.schema).toBe("foxglove.CompressedImage");
    const picture = decodePng(Buffer.from(camera.messages[0]!.data as string, "base64"));
    expect(picture).toMatchObject({ height: 16, width: 16 });
    expect(topics["/task/instruction"]).toMatchObject({ schema: "std_msgs/String", messages: [{ data: "go" }] });
    rmSync(place, { recursive: true });
  });

  it("never writes over a recording, and leaves nothing behind when nobody is there", async () => {
    rig = await new BridgeRig().open();
    const place = mkdtempSync(join(tmpdir(), "recording-"));
    const file = join(place, "old.mcap");
    const { signal } = new AbortController();
    writeFileSync(file, "mine");
    const config = parseConfig(bridgeRecordConfig, { robot: rig.url, file });
    await expect(recordFrom(config, { signal })).rejects.toThrow("is there already");
    rig.proxy.cut();
    const other = join(place, "new.mcap");
    await expect(recordFrom({ ...config, file: other }, { signal })).rejects.toThrow(UserError);
    expect([existsSync(other), existsSync(`${other}.part`)]).toEqual([false, false]);
    await expect(recordFrom({ ...config, file: join(place, "none", "x.mcap") }, { signal })).rejects.toThrow(UserError);
    rmSync(place, { recursive: true });
  });
});
