import { describe, expect, it } from "@jest/globals";
import { checkExposure, readCluster } from "#engine/cluster/cluster.ts";

const config = (cluster: object, type = "worker", index = 0) => JSON.stringify({ cluster, task: { type, index } });
const two = ["10.0.0.1:2222", "node-b:2222"];

describe("TF_CONFIG", () => {
  it.each([
    ["workers", config({ worker: two }, "worker", 1), { workers: two, index: 1 }],
    [
      "a chief before them",
      config({ chief: ["c:1"], worker: two }, "worker", 1),
      { workers: ["c:1", ...two], index: 2 },
    ],
    ["the chief itself", config({ chief: ["c:1"], worker: two }, "chief", 0), { workers: ["c:1", ...two], index: 0 }],
    [
      "an IPv6 address",
      config({ worker: ["[fd00::1]:2222", "b:1"] }),
      { workers: ["[fd00::1]:2222", "b:1"], index: 0 },
    ],
    ["a single worker, which trains alone", config({ worker: ["a:1"] }), undefined],
    ["nothing", "", undefined],
  ])("names %s", (_, text, want) => {
    expect(readCluster(text)).toEqual(want);
  });

  it.each([
    ["{", /^TF_CONFIG: must be JSON, got "\{"\.$/],
    [config({ worker: two }, "worker", 2), /task worker 2 is not among the cluster's 2 workers\. Count from 0\.$/],
    [config({ worker: two }, "chief", 0), /task chief 0 is not among/],
    [config({ worker: ["a", "b:1"] }), /must list host:port, got "a"\.$/],
    [config({ worker: ["a:0", "b:1"] }), /must list host:port, got "a:0"\.$/],
    [config({ worker: ["a:70000", "b:1"] }), /must list host:port, got "a:70000"\.$/],
    [config({ worker: ["a:1; rm", "b:1"] }), /must list host:port/],
    [config({ worker: ["a:1", "a:1"] }), /a:1 is listed twice\. Each worker needs its own port\.$/],
    [config({ ps: ["a:1"] }), /^TF_CONFIG: .*ps/],
  ])("%s is refused in one sentence", (text, sentence) => {
    expect(() => readCluster(text)).toThrow(sentence);
  });
});

describe("a worker's open port", () => {
  const on = (address: string, internal = false) => ({ eth0: [{ address, internal }] });

  it.each([
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "fd12::1",
    "fe80::1",
    "127.0.0.1",
    "192.0.2.2",
  ])("is allowed on %s, which the world cannot reach", (address) => {
    expect(() => checkExposure(false, on(address))).not.toThrow();
  });

  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1"])(
    "is refused on %s unless it is told to",
    (address) => {
      expect(() => checkExposure(false, on(address))).toThrow(
        `cluster: TensorFlow's server would listen on the public address ${address} (eth0) without a password. ` +
          "Close the port with a firewall or run in a network namespace (docs/cluster.md), then add --engine.exposed.",
      );
      expect(() => checkExposure(true, on(address))).not.toThrow();
    },
  );

  it("is refused when any of several addresses is public", () => {
    expect(() => checkExposure(false, { ...on("10.0.0.1"), wan: [{ address: "1.2.3.4", internal: false }] })).toThrow(
      /wan/,
    );
  });
});
