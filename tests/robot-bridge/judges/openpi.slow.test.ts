/** @file Server and client of openpi's protocol judged by its own Python client. Skipped where it is not installed. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { systemClock } from "#core/clock.ts";
import { OpenpiPolicy } from "#robot-bridge/policies/openpi-client.ts";
import { OpenpiServer } from "#robot-bridge/policies/openpi-server.ts";
import { planarDelta } from "#world/index.ts";
import { ScriptedPolicy } from "../../doubles/scripted-policy.ts";

const isInstalled = spawnSync("python3", ["-c", "import openpi_client, websockets.sync.server"]).status === 0;
const script = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));

(isInstalled ? describe : describe.skip)("openpi-client (pip install openpi-client)", () => {
  it("drives our server", async () => {
    const policy = new ScriptedPolicy({
      clock: systemClock,
      space: planarDelta,
      chunkLength: 2,
      rateHz: 10,
      answer: (_, { state }) => [state![0]!, state![1]!, 0, 0],
    });
    const cameras = [
      { name: "front", height: 64, width: 64 },
      { name: "wrist", height: 32, width: 32 },
    ];
    Object.assign(policy.spec, { stateSize: 8, cameras });
    const token = "0123456789abcdef";
    const server = new OpenpiServer({ policy, port: 0, token });
    const { url } = await server.listen();
    try {
      const { port } = new URL(url);
      const { stdout } = await promisify(execFile)("python3", [script("openpi_probe.py"), port, token]);
      const seen = JSON.parse(stdout) as { replies: { first: number[]; asked: number[]; timing: string[] }[] };
      expect(seen).toMatchObject({
        metadata: { armature: { policyId: "scripted" } },
        error: expect.stringContaining('must have an array "observation/image", got nonsense'),
        health: [200, "OK\n"],
      });
      for (const [index, reply] of seen.replies.entries()) {
        expect(reply).toMatchObject({ shape: [2, 2], dtype: "float32" });
        expect(reply.first).toBeAllClose(reply.asked);
        expect(reply.timing).toEqual(index === 0 ? ["infer_ms"] : ["infer_ms", "prev_total_ms"]);
      }
    } finally {
      await server.close();
    }
  });

  it("answers our client", async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const python = spawn("python3", [script("openpi_server.py"), String(port)]);
    try {
      await once(python.stdout, "data");
      const spec = {
        policyId: "judge",
        cameras: [{ name: "front", height: 8, width: 8 }],
        stateSize: 3,
        space: planarDelta,
        chunkLength: 4,
        rateHz: 10,
      };
      const client = await OpenpiPolicy.open({ url: `ws://127.0.0.1:${port}`, spec });
      const image = { data: new Uint8Array(8 * 8 * 3).fill(10), height: 8, width: 8 };
      const observation = {
        images: { front: image },
        state: Float32Array.of(1, -2, 3),
        instruction: "go",
        stampNs: 5n,
      };
      const chunk = await client.infer(observation);
      expect(chunk).toMatchObject({ length: 4, stampNs: 5n });
      expect(chunk.actions).toBeAllClose([11, 8, 11, 8, 11, 8, 11, 8]);
      const { state: _, ...blind } = observation;
      await expect(client.infer(blind)).rejects.toThrow("the policy failed: KeyError: 'observation/state'");
      expect((await client.infer(observation)).actions[0]).toBeCloseTo(11, 5);
      await client.close();
    } finally {
      python.kill("SIGKILL");
    }
  });
});
