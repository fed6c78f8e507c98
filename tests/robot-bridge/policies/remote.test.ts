import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { systemClock } from "#core/clock.ts";
import { ConfigError, FormatError } from "#core/errors.ts";
import { encodePolicySpec } from "#robot-bridge/policies/policy-spec.ts";
import { isPolicyUrl, openRemotePolicy, servePolicy } from "#robot-bridge/policies/remote.ts";
import { planarDelta } from "#world/index.ts";
import { observationFor } from "../../contracts/policy.contract.ts";
import { ScriptedPolicy } from "../../doubles/scripted-policy.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function makePolicy() {
  const policy = new ScriptedPolicy({
    clock: systemClock,
    space: planarDelta,
    chunkLength: 1,
    rateHz: 10,
    answer: () => [0.01, -0.02],
  });
  Object.assign(policy.spec, { cameras: [{ name: "front", height: 2, width: 2 }] });
  return policy;
}

function specFile(value: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), "spec-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "policy.json");
  writeFileSync(path, JSON.stringify(value));
  return path;
}

describe("Remote policies", () => {
  it.each(["openpi", "openvla"] as const)("are served and taken over in the %s dialect", async (dialect) => {
    const policy = makePolicy();
    const server = await servePolicy({ policy, dialect, port: 0 });
    closing.push(() => server.close());
    expect(isPolicyUrl(server.url)).toBe(true);
    const specPath = dialect === "openvla" ? specFile(encodePolicySpec(policy.spec)) : undefined;
    const remote = await openRemotePolicy({ url: server.url, specPath });
    closing.push(() => remote.close());
    expect(remote.spec).toEqual(policy.spec);
    expect((await remote.infer(observationFor(remote))).actions).toBeAllClose([0.01, -0.02]);
  });

  it("are told from checkpoints", () => {
    expect(["runs/demo", "expert", "C:/models"].map(isPolicyUrl)).toEqual([false, false, false]);
    expect(isPolicyUrl("wss://gpu:8000")).toBe(true);
  });

  it("must say what their actions mean", async () => {
    const url = "http://127.0.0.1:1/act";
    await expect(openRemotePolicy({ url })).rejects.toThrow("Describe the policy in a file");
    await expect(openRemotePolicy({ url, specPath: "/nowhere.json" })).rejects.toThrow(ConfigError);
    const spec = encodePolicySpec(makePolicy().spec);
    const wrong = { ...spec, space: { ...(spec.space as object), units: [] } };
    await expect(openRemotePolicy({ url, specPath: specFile(wrong) })).rejects.toThrow("one entry per dimension");
    await expect(openRemotePolicy({ url, specPath: specFile({ policyId: 5 }) })).rejects.toThrow(FormatError);
  });
});
