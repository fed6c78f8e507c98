import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { pack } from "msgpackr";
import { decodeRollout } from "#sim-viewer/src/episode/rollout-file.ts";
import { encodeRollout } from "#world/rollout.ts";
import { makeRollout } from "../make-rollout.ts";

const log = makeRollout({ frames: 5 });
const chunks = { length: 2, frames: Int32Array.of(0, 3), actions: new Float32Array(8) };
const bytes = encodeRollout(log);

describe("decodeRollout", () => {
  it("reads back what the world writes", () => {
    expect(decodeRollout(bytes)).toEqual(log);
    expect(decodeRollout(encodeRollout({ ...log, chunks })).chunks).toEqual(chunks);
  });

  it("refuses every cut with one sentence", () => {
    for (let length = 0; length < bytes.length; length += 7) {
      expect(() => decodeRollout(bytes.subarray(0, length))).toThrow(
        /^expected MessagePack, got \d+ bytes|^expected a/,
      );
    }
  });

  it("never fails otherwise than with a sentence, whatever byte is flipped", () => {
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const broken = Uint8Array.from(bytes);
        broken[at] = broken[at]! ^ change;
        try {
          decodeRollout(broken);
        } catch (error) {
          expect((error as Error).message).toMatch(/^[\w. ]+: expected .*\.$|^expected .*\.$/s);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["another version", { version: 2 }, "version"],
    ["no frames", { frames: 0 }, "frames"],
    ["frames that the poses do not hold", { frames: 6 }, "geomPoses: expected 294 numbers, got 245"],
    ["poses of another type", { geomPoses: [...log.geomPoses] }, "geomPoses"],
    ["a rate of 0", { rateHz: 0 }, "rateHz"],
    ["a camera pose too few", { cameraPoses: log.cameraPoses.subarray(7) }, "cameraPoses: expected 70 numbers, got 63"],
    ["an action name too many", { actionNames: ["dx", "dy", "dz"] }, "actions: expected 15 numbers, got 10"],
    ["reasons that are no list", { reasons: "none" }, "reasons"],
    ["an unknown shape", { scene: { ...log.scene, geoms: [{ ...log.scene.geoms[0], type: "cone" }] } }, "type"],
    ["a box with two sizes", { scene: { ...log.scene, geoms: [{ ...log.scene.geoms[0], size: [1, 1] }] } }, "size"],
    ["a mesh that is not there", { scene: { ...log.scene, geoms: [{ ...log.scene.geoms[0], type: "mesh" }] } }, "mesh"],
    [
      "a camera that sees half the world",
      { scene: { ...log.scene, cameras: [{ name: "a", fovyDeg: 180 }] } },
      "fovyDeg",
    ],
    ["a chunk too long", { chunks: { ...chunks, length: 3 } }, "chunks.actions: expected 12 numbers, got 8"],
    ["chunks out of order", { chunks: { ...chunks, frames: Int32Array.of(3, 0) } }, "ascending"],
    ["a chunk after the end", { chunks: { ...chunks, frames: Int32Array.of(0, 5) } }, "ascending"],
  ])("refuses %s", (_, change, named) => {
    expect(() => decodeRollout(encodeRollout({ ...log, ...change } as typeof log))).toThrow(named);
  });

  it("refuses a mesh whose triangles point past its corners", () => {
    const mesh = { positions: new Float32Array(9), normals: new Float32Array(9), indices: Uint32Array.of(0, 1, 3) };
    const scene = { ...log.scene, meshes: { prism: mesh } };
    expect(() => decodeRollout(encodeRollout({ ...log, scene }))).toThrow("indices of its own positions");
  });

  it.each([[null], [3], ["text"], [[]], [{}]])("refuses MessagePack of %p", (value) => {
    expect(() => decodeRollout(pack(value))).toThrow("expected a rollout of version 1");
  });
});
