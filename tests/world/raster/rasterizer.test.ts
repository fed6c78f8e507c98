import { createHash } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { ConfigError } from "#core/errors.ts";
import { quaternionFromAxisAngle, type Vector3 } from "#core/geometry/quaternion.ts";
import { createRasterizer, type Frame } from "#world/raster/index.ts";
import { ballMesh, cubeMesh } from "./meshes.ts";
import { draw, plane, red, type StillLife, stillLife, sunFromAbove, type Thing } from "./still-life.ts";

const hash = (frame: Frame) =>
  createHash("sha256")
    .update(frame.rgb)
    .update(new Uint8Array(frame.depth.buffer))
    .update(new Uint8Array(frame.segmentation.buffer))
    .digest("hex");

const grey = (share: number) => ({ rgba: [share, share, share, 1] }) as const;

describe("depth", () => {
  it("of a plane below a camera that looks straight down is the height everywhere", () => {
    const { depth } = draw({ things: [plane], camera: { position: [0.3, 0.1, 0.7] } }, { samples: 2 });
    expect(depth).toBeAllClose(new Float32Array(depth.length).fill(0.7), { absolute: 1e-6 });
  });

  it("of a plane seen at a slant follows the ray of every pixel", () => {
    const position: Vector3 = [0, -1, 0.8];
    const { scene, pose } = stillLife({ things: [plane], camera: { position, target: [0, 0, 0], fovyDeg: 50 } });
    const { depth } = createRasterizer(scene, { width: 40, height: 40, samples: 2 }).render(pose, 0);
    const focal = 20 / Math.tan((25 * Math.PI) / 180);
    const r = pose.cameraRotations;
    for (const [column, row] of [
      [0, 39],
      [20, 20],
      [39, 5],
      [7, 30],
    ] as const) {
      const x = (column + 0.5 - 20) / focal;
      const y = (20 - row - 0.5) / focal;
      const falls = -(r[6]! * x + r[7]! * y - r[8]!);
      expect(depth[40 * row + column]).toBeCloseTo(0.8 / falls, 5);
    }
  });

  it("is infinite and the geom -1 where nothing is", () => {
    const ball: Thing = { type: "sphere", size: [0.5] };
    const { depth, segmentation, rgb } = draw({ things: [ball], camera: { position: [0, 0, 1.5] } }, { size: 65 });
    expect(depth[0]).toBe(Number.POSITIVE_INFINITY);
    expect(segmentation[0]).toBe(-1);
    expect([...rgb.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect(depth[32 * 65 + 32]).toBeCloseTo(1, 6);
  });
});

describe("segmentation", () => {
  it("counts exactly the pixels of a box face", () => {
    // At depth 1 a picture of 32 pixels spans 2 m: the face of 0.5 m has 8 x 8 pixels.
    const box: Thing = { type: "box", size: [0.25, 0.25, 0.1], position: [0, 0, -0.1] };
    for (const samples of [1, 2] as const) {
      const { segmentation } = draw(
        {
          things: [plane, box].map((thing, index) =>
            index === 0 ? { ...thing, position: [0, 0, -0.2] as const } : thing,
          ),
          camera: { position: [0, 0, 1] },
        },
        { samples },
      );
      expect(segmentation.filter((geom) => geom === 1).length).toBe(64);
      expect(segmentation.filter((geom) => geom === 0).length).toBe(32 * 32 - 64);
    }
  });

  it.each([
    ["sphere", { type: "sphere", size: [0.3] } as Thing, 0.3],
    ["cylinder", { type: "cylinder", size: [0.3, 0.2], position: [0, 0, -0.2] } as Thing, 0.3],
    ["capsule on end", { type: "capsule", size: [0.3, 0.2], position: [0, 0, -0.2] } as Thing, 0.3],
  ])("shows a %s as the disc that it is", (_, thing, radius) => {
    // From far away, so that the outline is nearly the equator.
    const camera = { position: [0, 0, 20] as const, fovyDeg: 3 };
    const { segmentation } = draw({ things: [thing], camera }, { size: 128 });
    const pixelsPerMetre = 128 / (2 * 20 * Math.tan((1.5 * Math.PI) / 180));
    const disc = Math.PI * (radius * pixelsPerMetre) ** 2;
    const count = segmentation.filter((geom) => geom === 0).length;
    expect(Math.abs(count / disc - 1)).toBeLessThan(0.015);
  });

  it("lets what is nearer hide what is behind, in any order", () => {
    const low: Thing = { type: "box", size: [0.4, 0.4, 0.1] };
    const high: Thing = { type: "box", size: [0.2, 0.2, 0.1], position: [0, 0, 0.3] };
    const camera = { position: [0, 0, 1.5] as const };
    const middle = 16 * 32 + 16;
    expect(draw({ things: [low, high], camera }).segmentation[middle]).toBe(1);
    expect(draw({ things: [high, low], camera }).segmentation[middle]).toBe(0);
  });
});

describe("what is drawn", () => {
  it("leaves out back faces: a plane from below and a box from inside show nothing", () => {
    const under = draw({ things: [plane], camera: { position: [0, -0.1, -1], target: [0, 0, 0] } });
    expect(under.segmentation.every((geom) => geom === -1)).toBe(true);
    const inside = draw({ things: [{ type: "box", size: [1, 1, 1] }], camera: { position: [0, 0, 0] } });
    expect(inside.segmentation.every((geom) => geom === -1)).toBe(true);
  });

  it("cuts what crosses the near plane: ground below the horizon, nothing above", () => {
    const { segmentation, depth } = draw({ things: [plane], camera: { position: [0, 0, 0.2], target: [0, 1, 0.2] } });
    for (let row = 0; row < 32; row++) {
      for (let column = 0; column < 32; column++) {
        const isBelow = row >= 17 || (row === 16 && segmentation[32 * row + column] === 0);
        if (row !== 16) expect(segmentation[32 * row + column]).toBe(isBelow ? 0 : -1);
      }
    }
    // Bottom row: 15.5 pixels below the middle at a focal length of 16.
    expect(depth[31 * 32]).toBeCloseTo((0.2 * 16) / 15.5, 4);
  });

  it("leaves out geoms of alpha 0", () => {
    const ghost: Thing = { type: "sphere", size: [0.5], material: { rgba: [1, 1, 1, 0] } };
    const { segmentation } = draw({ things: [ghost], camera: { position: [0, 0, 2] } });
    expect(segmentation.every((geom) => geom === -1)).toBe(true);
  });

  it("draws a cube the same as a box and as a mesh", () => {
    const quaternion = quaternionFromAxisAngle([1, 2, 0.5], 0.9);
    const life = (thing: Thing): StillLife => ({
      things: [{ ...thing, quaternion }],
      camera: { position: [0.2, -0.9, 0.9], target: [0, 0, 0], fovyDeg: 40 },
      lights: [{ direction: [0.3, 0.4, -0.866], intensity: 0.6, castsShadow: false }],
      ambient: 0.3,
      meshes: { cube: cubeMesh(0.25) },
    });
    const box = draw(life({ type: "box", size: [0.25, 0.25, 0.25] }), { samples: 2 });
    const mesh = draw(life({ type: "mesh", size: [], mesh: "cube" }), { samples: 2 });
    expect([...mesh.rgb]).toEqual([...box.rgb]);
    const seen = (frame: Frame) => frame.depth.filter((value) => value < Number.POSITIVE_INFINITY);
    expect(seen(mesh)).toBeAllClose(seen(box), { relative: 1e-6 });
    expect(new Set(box.segmentation)).toEqual(new Set([-1, 0]));
  });

  it("mixes the colours of an edge when it takes four samples", () => {
    const half: Thing = { type: "box", size: [0.5, 2, 0.1], position: [-0.5 + 1 / 32, 0, -0.1] };
    const camera = { position: [0, 0, 1] as const };
    const hard = draw({ things: [half], camera }, { samples: 1 });
    const soft = draw({ things: [half], camera }, { samples: 2 });
    expect(new Set(hard.rgb)).toEqual(new Set([0, 255]));
    // Half the light: sRGB 188.
    expect(new Set(soft.rgb)).toEqual(new Set([0, 188, 255]));
  });
});

describe("Rasterizer", () => {
  const everything: StillLife = {
    things: [
      { ...plane, material: { ...grey(0.7), texture: { kind: "wood", rgb: [0.5, 0.3, 0.2], repeat: 3, seed: 5 } } },
      {
        type: "box",
        size: [0.1, 0.15, 0.05],
        position: [-0.3, 0, 0.05],
        quaternion: quaternionFromAxisAngle([0, 0, 1], 0.4),
        material: { rgba: [0.8, 0.2, 0.1, 1], texture: { kind: "noise", rgb: [0.2, 0.2, 0.9], repeat: 6, seed: 2 } },
      },
      { type: "sphere", size: [0.12], position: [0.25, 0.1, 0.12], material: { rgba: [0.1, 0.5, 0.9, 1] } },
      {
        type: "capsule",
        size: [0.05, 0.2],
        position: [0, 0.3, 0.1],
        quaternion: quaternionFromAxisAngle([0, 1, 0], 1.3),
        material: { rgba: [0.9, 0.8, 0.6, 1], texture: { kind: "cloth", rgb: [0.4, 0.4, 0.3], repeat: 20, seed: 9 } },
      },
      { type: "cylinder", size: [0.08, 0.1], position: [0.05, -0.2, 0.1], material: { rgba: [0.3, 0.8, 0.3, 1] } },
      {
        type: "mesh",
        size: [],
        mesh: "cube",
        position: [0.3, -0.25, 0.1],
        quaternion: quaternionFromAxisAngle([1, 1, 0], 0.7),
      },
    ],
    camera: { position: [0.2, -1, 0.8], target: [0, 0, 0], fovyDeg: 45 },
    lights: [
      { direction: [0.48, 0.36, -0.8], intensity: 0.6, castsShadow: true },
      { direction: [-0.6, 0, -0.8], intensity: 0.2, castsShadow: true },
    ],
    ambient: 0.35,
    meshes: { cube: cubeMesh(0.08) },
  };

  it.each([
    [1, "dc45333527494890fee5cda9c9df79f3fd7072c882aaaea43fcac9bb33af6462"],
    [2, "f523ac7dff830fec963fd508a4f8498ef18c3b4681d23562b46896a5a4e6ae25"],
  ] as const)("draws the bytes that it has always drawn, with %d samples", (samples, golden) => {
    expect(hash(draw(everything, { size: 64, samples, shadowMapSize: 256 }))).toBe(golden);
  });

  it("draws the same again, whatever it has drawn in between", () => {
    const { scene, pose } = stillLife(everything);
    const rasterizer = createRasterizer(scene, { width: 48, height: 48 });
    const first = hash(rasterizer.render(pose, 0));
    const other = stillLife({
      things: [plane, { type: "sphere", size: [0.3] }],
      camera: { position: [0, 0, 1] },
      lights: [sunFromAbove],
    });
    rasterizer.setScene(other.scene);
    expect(hash(rasterizer.render(other.pose, 0))).not.toBe(first);
    rasterizer.setScene(scene);
    expect(hash(rasterizer.render(pose, 0))).toBe(first);
    // Poses in single precision are as good.
    const single = { ...pose, geomPositions: Float32Array.from(pose.geomPositions) };
    expect(rasterizer.render(single, 0).segmentation).toBeAllClose(rasterizer.render(pose, 0).segmentation);
  });

  it("keeps its arrays from frame to frame", () => {
    const { scene, pose } = stillLife(everything);
    const rasterizer = createRasterizer(scene, { width: 16, height: 24 });
    const { rgb, depth } = rasterizer.render(pose, 0);
    expect(rgb.length).toBe(3 * 16 * 24);
    expect(rasterizer.render(pose, 0).rgb).toBe(rgb);
    expect(rasterizer.render(pose, 0).depth).toBe(depth);
  });

  it("names what decides its pixels", () => {
    const { scene } = stillLife(everything);
    const id = createRasterizer(scene, { width: 8, height: 8, samples: 1, shadowMapSize: 64 }).id;
    expect(id).toMatch(/^armature-raster\/\d+ samples=1 shadows=64$/);
  });

  it("lights a finely divided mesh as the ball whose normals it has", () => {
    const camera = { position: [0, -1.4, 0.7] as const, target: [0, 0, 0] as const, fovyDeg: 40 };
    const lights = [{ direction: [0.6, 0, -0.8], intensity: 0.7, castsShadow: false }] as const;
    const ball = draw({ things: [{ type: "sphere", size: [0.3] }], camera, lights, ambient: 0.2 });
    const mesh = draw({
      things: [{ type: "mesh", size: [], mesh: "ball" }],
      camera,
      lights,
      ambient: 0.2,
      meshes: { ball: ballMesh(0.3) },
    });
    let apart = 0;
    for (let pixel = 0; pixel < 32 * 32; pixel++) {
      if (ball.segmentation[pixel] === mesh.segmentation[pixel])
        apart = Math.max(apart, Math.abs(red(ball, pixel) - red(mesh, pixel)));
    }
    expect(apart).toBeLessThanOrEqual(8);
  });

  it.each([
    [{ width: 0, height: 8 }, "width must be a whole number of at least 1, got 0"],
    [{ width: 8, height: 7.5 }, "height must be a whole number of at least 1, got 7.5"],
    [{ width: 8, height: 8, shadowMapSize: -1 }, "shadowMapSize must be a whole number of at least 0, got -1"],
  ])("refuses %j", (options, message) => {
    const { scene } = stillLife(everything);
    expect(() => createRasterizer(scene, options)).toThrow(ConfigError);
    expect(() => createRasterizer(scene, options)).toThrow(message);
  });

  it("names a geom whose mesh is missing", () => {
    const { scene } = stillLife({
      things: [{ name: "bowl", type: "mesh", size: [], mesh: "round" }],
      camera: { position: [0, 0, 1] },
    });
    expect(() => createRasterizer(scene, { width: 8, height: 8 })).toThrow('geom "bowl" names the mesh "round"');
  });
});
