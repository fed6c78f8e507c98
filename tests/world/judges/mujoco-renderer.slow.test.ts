/** @file The rasteriser judged by MuJoCo's own renderer: the same MJCF scenes, depth and segmentation pixel by pixel. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { lookAt, normaliseQuaternion } from "#core/geometry/quaternion.ts";
import { createRng, type Rng } from "#core/rng.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { dressScene, readGeometry } from "#world/physics/read-scene.ts";
import { Simulation } from "#world/physics/simulation.ts";
import { element } from "#world/physics/xml.ts";
import { createRasterizer } from "#world/raster/index.ts";

const script = fileURLToPath(new URL("./mujoco_render.py", import.meta.url));
const probe = 'import os; os.environ["MUJOCO_GL"] = "osmesa"; import mujoco; mujoco.GLContext(8, 8)';
const isThere = spawnSync("python3", ["-c", probe], { stdio: "ignore" }).status === 0;
const withJudge = isThere ? describe : describe.skip;

const size = 160;
const scenes = 100;

function randomGeom(rng: Rng, name: string): string {
  const type = rng.pick(["sphere", "capsule", "cylinder", "box", "ellipsoid", "mesh"] as const);
  const length = () => rng.uniform(0.05, 0.16);
  const sizes = {
    sphere: [length()],
    capsule: [0.6 * length(), length()],
    cylinder: [length(), length()],
    box: [length(), length(), length()],
    ellipsoid: [length(), length(), length()],
    mesh: undefined,
  };
  const [x, y, z, w] = normaliseQuaternion([
    rng.uniform(-1, 1),
    rng.uniform(-1, 1),
    rng.uniform(-1, 1),
    rng.uniform(-1, 1),
  ]);
  return element("geom", {
    name,
    type,
    size: sizes[type],
    mesh: type === "mesh" ? "prism" : undefined,
    pos: [rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), rng.uniform(0.05, 0.4)],
    quat: [w, x, y, z],
  });
}

function randomScene(seed: number): string {
  const rng = createRng(`judge/${seed}`);
  const position = [rng.uniform(-0.6, 0.6), rng.uniform(-1.4, -0.9), rng.uniform(0.5, 1.2)] as const;
  const [x, y, z, w] = lookAt(position, [rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), 0.1]);
  return element(
    "mujoco",
    {},
    element("statistic", { extent: 2, center: [0, 0, 0] }),
    element(
      "visual",
      {},
      element("map", { znear: 0.01, zfar: 50 }),
      element("quality", { numslices: 64, numstacks: 48 }),
    ),
    element(
      "asset",
      {},
      element("mesh", {
        name: "prism",
        vertex: [0, 0, 0, 0.2, 0, 0, 0, 0.2, 0, 0, 0, 0.25, 0.2, 0, 0.25, 0, 0.2, 0.25],
      }),
    ),
    element(
      "worldbody",
      {},
      element("geom", { name: "floor", type: "plane", size: [1.5, 1.5, 0.1] }),
      ...Array.from({ length: 4 + rng.integer(6) }, (_, index) => randomGeom(rng, `geom ${index}`)),
      element("camera", { name: "judge", pos: position, quat: [w, x, y, z], fovy: rng.uniform(35, 60) }),
    ),
  );
}

withJudge("MuJoCo's own renderer (needs python3 with mujoco and OSMesa)", () => {
  it("sees the same geoms at the same depth in a hundred random scenes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "judge-"));
    const texts = Array.from({ length: scenes }, (_, seed) => randomScene(seed));
    const input = join(folder, "scenes.json");
    const output = join(folder, "judged.bin");
    writeFileSync(input, JSON.stringify(texts.map((xml) => ({ xml, width: size, height: size }))));
    execFileSync("python3", [script, input, output]);
    const bytes = readFileSync(output);
    rmSync(folder, { recursive: true });
    expect(bytes.length).toBe(scenes * size * size * 8);

    const mujoco = await loadPhysics();
    const overlaps: number[] = [];
    const depthErrors: number[] = [];
    for (const [index, xml] of texts.entries()) {
      const simulation = new Simulation(mujoco, xml);
      simulation.refresh();
      const geometry = readGeometry(mujoco, simulation.model);
      const scene = dressScene(geometry, { materials: {}, lights: [], ambient: 1, background: [0, 0, 0] });
      const rasterizer = createRasterizer(scene, { width: size, height: size, samples: 1, shadowMapSize: 0 });
      const { depth, segmentation } = rasterizer.render(simulation.pose(geometry.geomIds), 0);
      simulation.close();
      const start = index * size * size * 8;
      const judgedDepth = new Float32Array(
        bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + size * size * 4),
      );
      const judgedGeoms = new Int32Array(
        bytes.buffer.slice(bytes.byteOffset + start + size * size * 4, bytes.byteOffset + start + size * size * 8),
      );
      const both = new Map<number, number>();
      const either = new Map<number, number>();
      const count = (counts: Map<number, number>, geom: number) => counts.set(geom, (counts.get(geom) ?? 0) + 1);
      for (let pixel = 0; pixel < size * size; pixel++) {
        const ours = segmentation[pixel]! < 0 ? -1 : geometry.geomIds[segmentation[pixel]!]!;
        const theirs = judgedGeoms[pixel]!;
        count(either, ours);
        if (ours !== theirs) {
          count(either, theirs);
          continue;
        }
        count(both, ours);
        if (ours >= 0) depthErrors.push(Math.abs(depth[pixel]! / judgedDepth[pixel]! - 1));
      }
      for (const [geom, pixels] of either) if (pixels >= 100) overlaps.push((both.get(geom) ?? 0) / pixels);
    }
    overlaps.sort((a, b) => a - b);
    depthErrors.sort((a, b) => a - b);
    const mean = overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length;
    // What is drawn at an outline is a matter of half a pixel: small and thin geoms overlap least.
    expect(mean).toBeGreaterThan(0.985);
    expect(overlaps[Math.floor(0.05 * overlaps.length)]).toBeGreaterThan(0.95);
    expect(depthErrors[Math.floor(0.5 * depthErrors.length)]).toBeLessThan(0.001);
    expect(depthErrors[Math.floor(0.995 * depthErrors.length)]).toBeLessThan(0.01);
  });
});
