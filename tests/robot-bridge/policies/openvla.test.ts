import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { systemClock } from "#core/clock.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { decodeJsonNumpy, encodeJsonNumpy } from "#robot-bridge/policies/json-numpy.ts";
import { numpyArray } from "#robot-bridge/policies/numpy.ts";
import { OpenvlaPolicy } from "#robot-bridge/policies/openvla-client.ts";
import { OpenvlaServer } from "#robot-bridge/policies/openvla-server.ts";
import { planarDelta } from "#world/index.ts";
import { observationFor, policyContract } from "../../contracts/policy.contract.ts";
import { ScriptedPolicy } from "../../doubles/scripted-policy.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(chunkLength: number, token = "") {
  const settings = { delayMs: 0 };
  const policy = new ScriptedPolicy({
    clock: systemClock,
    space: planarDelta,
    chunkLength,
    rateHz: 10,
    latencyMs: () => settings.delayMs,
    answer: (_, { images }) =>
      Array.from({ length: chunkLength }, (_, row) => [images.front!.data[0]! / 100, row]).flat(),
  });
  const cameras = [{ name: "front", height: 2, width: 2 }];
  if (chunkLength > 1) cameras.push({ name: "side", height: 2, width: 2 });
  Object.assign(policy.spec, { cameras });
  const server = new OpenvlaServer({ policy, port: 0, token });
  const { url } = await server.listen();
  return { policy, settings, server, url };
}

for (const chunkLength of [1, 4]) {
  policyContract(`A policy behind /act with chunks of ${chunkLength}`, async () => {
    const { policy, settings, server, url } = await serve(chunkLength);
    return {
      policy: new OpenvlaPolicy({ url, spec: policy.spec }),
      slow: (durationMs) => {
        settings.delayMs = durationMs;
      },
      close: () => server.close(),
    };
  });
}

describe("json-numpy", () => {
  it("writes what Python writes", () => {
    // json_numpy.dumps(np.array([1.5, -2.0])), json-numpy 2.1.0.
    const text = '{"__numpy__":"AAAAAAAA+D8AAAAAAAAAwA==","dtype":"<f8","shape":[2]}';
    const array = numpyArray(Float64Array.of(1.5, -2), [2]);
    expect(JSON.stringify(encodeJsonNumpy(array))).toBe(text);
    expect(decodeJsonNumpy(JSON.parse(text))).toEqual(array);
    const scalar = { __numpy__: "AADAPw==", dtype: "<f4", shape: [] };
    expect(decodeJsonNumpy(scalar)).toEqual({ dtype: "<f4", shape: [], data: Float32Array.of(1.5) });
  });

  it.each([
    null,
    [1],
    { __numpy__: 5, dtype: "<f4", shape: [1] },
    { __numpy__: "AADAPw", dtype: "<f4", shape: [1] },
    { __numpy__: "AADAPw==", dtype: "<f4", shape: [2] },
    { __numpy__: "AADAPw==", dtype: [["a", "<f4"]], shape: [1] },
  ])("refuses %j", (value) => expect(() => decodeJsonNumpy(value)).toThrow(FormatError));
});

describe("OpenvlaServer", () => {
  const post = async (url: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers,
    });
    return { status: response.status, body: (await response.json()) as unknown };
  };
  const picture = encodeJsonNumpy(numpyArray(new Uint8Array(2 * 2 * 3).fill(50), [2, 2, 3]));

  it("answers one action to OpenVLA's request, once more encoded when asked so", async () => {
    const { server, url } = await serve(1);
    closing.push(() => server.close());
    const request = { image: picture, instruction: "go", unnorm_key: "bridge_orig" };
    const answer = encodeJsonNumpy(numpyArray(Float64Array.of(0.5, 0), [2]));
    expect(await post(url, request)).toEqual({ status: 200, body: answer });
    const double = await post(url, { encoded: JSON.stringify(request) });
    expect(JSON.parse(double.body as string)).toEqual(answer);
  });

  it("answers a list of actions to OpenVLA-OFT's request", async () => {
    const { server, url } = await serve(3);
    closing.push(() => server.close());
    const { body } = await post(url, { full_image: picture, left_wrist_image: picture, instruction: "go" });
    expect((body as unknown[]).map((row) => [...decodeJsonNumpy(row).data])).toEqual([
      [0.5, 0],
      [0.5, 1],
      [0.5, 2],
    ]);
  });

  it.each<[string, unknown, number, string]>([
    ["no picture", { instruction: "go" }, 400, 'must have a picture "image"'],
    ["no instruction", { image: picture }, 400, 'must have a text "instruction"'],
    [
      "a picture that was cut",
      { image: { ...picture, shape: [4, 2, 3] }, instruction: "go" },
      400,
      "must have 24 bytes",
    ],
    ["no JSON", "{", 400, "must be JSON"],
    ["a list", [1], 400, "must be a JSON object"],
  ])("says what is wrong with %s", async (_, request, status, problem) => {
    const { server, url } = await serve(1);
    closing.push(() => server.close());
    const answer = await post(url, request);
    expect(answer.status).toBe(status);
    expect((answer.body as { error: string }).error).toContain(problem);
  });

  it("answers a policy's own failure with 500, other addresses with 404, strangers with 401", async () => {
    const { policy, server, url } = await serve(1, "0123456789abcdef");
    closing.push(() => server.close());
    const bearer = { authorization: "Bearer 0123456789abcdef" };
    policy.infer = async () => {
      throw new Error("out of memory");
    };
    const request = { image: picture, instruction: "go" };
    expect(await post(url, request, bearer)).toEqual({ status: 500, body: { error: "out of memory" } });
    expect((await post(url.replace("/act", "/other"), request, bearer)).status).toBe(404);
    expect((await post(url, request)).status).toBe(401);
  });
});

describe("OpenvlaPolicy", () => {
  const answering = async (text: string, status = 200) => {
    const web = createServer((_request, response) => response.writeHead(status).end(text));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    closing.push(() => web.close());
    const { policy, server } = await serve(1);
    await server.close();
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/act`;
    return new OpenvlaPolicy({ url, spec: policy.spec });
  };

  it.each([
    ['"error"', 200, "the policy failed: status 200"],
    ['{"error":"no such key"}', 500, "the policy failed: no such key"],
    ["<html>", 200, "the policy failed: status 200"],
    ['{"__numpy__":"AADAPw==","dtype":"<f4","shape":[1]}', 200, "actions must have 2 values each, got 1"],
    ["[]", 200, "actions must have 2 values each, got none"],
  ])("refuses the answer %s", async (text, status, problem) => {
    const policy = await answering(text, status);
    await expect(policy.infer(observationFor(policy))).rejects.toThrow(problem);
  });

  it("says when nobody is there", async () => {
    const { policy, server, url } = await serve(1);
    await server.close();
    const client = new OpenvlaPolicy({ url, spec: policy.spec });
    await expect(client.infer(observationFor(client))).rejects.toThrow(UserError);
  });
});
