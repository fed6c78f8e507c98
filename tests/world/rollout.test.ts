import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import { matrixFromQuaternion, quaternionFromAxisAngle } from "#core/geometry/quaternion.ts";
import { decodeRollout, encodeRollout, readRollout, writeRollout } from "#world/index.ts";
import { packPoses, stateDigest } from "#world/rollout.ts";
import { expertLog } from "./expert-log.ts";

const folder = mkdtempSync(join(tmpdir(), "rollout-"));
afterAll(() => rmSync(folder, { recursive: true }));
const log = await expertLog("pusher", 1);

describe("rollout files", () => {
  it("come back as they were written", async () => {
    const path = join(folder, "one.rollout");
    await writeRollout(path, log);
    expect(await readRollout(path)).toEqual(log);
    expect(readdirSync(folder)).toEqual(["one.rollout"]);
  });

  it("are refused when cut anywhere", () => {
    const bytes = encodeRollout(log);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
        expect(() => decodeRollout(bytes.subarray(0, length), "cut.rollout")).toThrow(FormatError);
      }),
      { numRuns: 30 },
    );
  });

  it("never crash the reader when bytes are changed", () => {
    const bytes = encodeRollout(log);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        try {
          expect(decodeRollout(changed, "changed.rollout").version).toBe(1);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("say what they are when they are something else", async () => {
    const path = join(folder, "other.rollout");
    writeFileSync(path, encodeRollout({ ...log, version: 2 as never }));
    await expect(readRollout(path)).rejects.toThrow("must be a rollout of version 1, got version 2");
    expect(() => decodeRollout(encodeRollout({ ...log, frames: log.frames + 1 }))).toThrow(
      "as many poses and actions as frames",
    );
    expect(() => decodeRollout(new Uint8Array())).toThrow(FormatError);
  });
});

describe("packPoses", () => {
  it("writes positions and quaternions frame by frame", () => {
    const quarter = quaternionFromAxisAngle([0, 0, 1], Math.PI / 2);
    const pose = (x: number) => ({
      geomPositions: Float64Array.of(x, 2, 3),
      geomRotations: Float64Array.from(matrixFromQuaternion(quarter)),
      cameraPositions: new Float64Array(0),
      cameraRotations: new Float64Array(0),
    });
    const packed = packPoses([pose(1), pose(5)], ({ geomPositions, geomRotations }) => [geomPositions, geomRotations]);
    expect(packed).toBeAllClose([1, 2, 3, 0, 0, Math.SQRT1_2, Math.SQRT1_2, 5, 2, 3, 0, 0, Math.SQRT1_2, Math.SQRT1_2]);
  });
});

describe("stateDigest", () => {
  it("sees the last bit", () => {
    const state = Float64Array.of(0.1, 0.2);
    expect(stateDigest(Float64Array.of(0.1, 0.2))).toBe(stateDigest(state));
    expect(stateDigest(Float64Array.of(0.1, 0.2 + Number.EPSILON / 4))).not.toBe(stateDigest(state));
  });
});
