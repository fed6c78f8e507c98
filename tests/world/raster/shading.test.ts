import { describe, expect, it } from "@jest/globals";
import { quaternionFromAxisAngle, type Vector3 } from "#core/geometry/quaternion.ts";
import { createRasterizer } from "#world/raster/index.ts";
import { draw, plane, red, type StillLife, stillLife, sunFromAbove, type Thing, white } from "./still-life.ts";

describe("light", () => {
  const camera = { position: [0, 0, 1] as const };
  const middle = 16 * 32 + 16;

  it("is ambient plus Lambert's cosine, in linear light", () => {
    // cos 60° = 0.5: 0.2 + 0.6 * 0.5 = 0.5 of a white plane; sRGB(0.5) = 188.
    const slanted = { direction: [Math.sqrt(0.75), 0, -0.5], intensity: 0.6, castsShadow: false } as const;
    const frame = draw({ things: [plane], camera, lights: [slanted], ambient: 0.2 });
    expect(red(frame, middle)).toBe(188);
  });

  it("adds up over lights and never exceeds white", () => {
    const frame = draw({ things: [plane], camera, lights: [sunFromAbove, sunFromAbove], ambient: 0.3 });
    expect(red(frame, middle)).toBe(255);
    const dim = { ...sunFromAbove, intensity: 0.1 };
    const two = draw({ things: [plane], camera, lights: [dim, dim], ambient: 0.3 });
    expect(red(two, middle)).toBe(188);
  });

  it("is less on faces that look away from the sky", () => {
    const tilted = (turn: number) =>
      draw({
        things: [{ type: "box", size: [0.3, 0.3, 0.3], quaternion: quaternionFromAxisAngle([1, 0, 0], turn) }],
        camera: { position: [0, -3, 0], target: [0, 0, 0], fovyDeg: 20 },
      });
    // The visible face leans up in one picture and down in the other.
    expect(red(tilted(-0.4), middle)).toBeGreaterThan(red(tilted(0.4), middle));
  });

  it("is blocked by what stands in it, and only there", () => {
    const lid: Thing = { type: "box", size: [0.25, 0.25, 0.02], position: [0, 0, 0.5] };
    const life: StillLife = {
      things: [plane, lid],
      camera: { position: [1.2, 0, 0.6], target: [0, 0, 0], fovyDeg: 60 },
      lights: [sunFromAbove],
      ambient: 0.2,
    };
    const { scene, pose } = stillLife(life);
    const shaded = createRasterizer(scene, { width: 64, height: 64, samples: 1, shadowMapSize: 256 }).render(pose, 0);
    const focal = 32 / Math.tan(Math.PI / 6);
    const r = pose.cameraRotations;
    let [inside, outside] = [0, 0];
    for (let pixel = 0; pixel < 64 * 64; pixel++) {
      if (shaded.segmentation[pixel] !== 0) continue;
      const depth = shaded.depth[pixel]!;
      const x = (((pixel % 64) + 0.5 - 32) / focal) * depth;
      const y = ((32 - Math.floor(pixel / 64) - 0.5) / focal) * depth;
      const worldX = 1.2 + r[0]! * x + r[1]! * y - r[2]! * depth;
      const worldY = r[3]! * x + r[4]! * y - r[5]! * depth;
      const edge = Math.max(Math.abs(worldX), Math.abs(worldY)) - 0.25;
      // Ambient alone is sRGB(0.2) = 124, in the sun sRGB(0.7) = 218; between them lies the filtered rim.
      if (edge < -0.02) {
        expect(red(shaded, pixel)).toBe(124);
        inside += 1;
      } else if (edge > 0.02) {
        expect(red(shaded, pixel)).toBe(218);
        outside += 1;
      }
    }
    expect(inside).toBeGreaterThan(50);
    expect(outside).toBeGreaterThan(500);
  });

  it("has no shadows without a shadow map", () => {
    const things: Thing[] = [plane, { type: "sphere", size: [0.2], position: [0, 0, 2] }];
    const frame = draw({ things, camera, lights: [sunFromAbove], ambient: 0.2 }, { shadowMapSize: 0 });
    expect(new Set(frame.rgb)).toEqual(new Set([218]));
  });

  it("does not let convex bodies speckle themselves with shadow", () => {
    const low = { direction: [0.9, 0, -Math.sqrt(0.19)], intensity: 0.6, castsShadow: true } as const;
    const ball: Thing = { type: "sphere", size: [0.4] };
    const life = (castsShadow: boolean): StillLife => ({
      things: [ball],
      camera: { position: [-1, -1, 1], target: [0, 0, 0], fovyDeg: 40 },
      lights: [{ ...low, castsShadow }],
      ambient: 0.2,
    });
    expect([...draw(life(true)).rgb]).toEqual([...draw(life(false)).rgb]);
  });
});

describe("textures", () => {
  it("are mapped with perspective: every pixel has the colour of its place on the table", () => {
    const checker = { kind: "checker", rgb: [0, 0, 0], repeat: 2, seed: 1 } as const;
    const position: Vector3 = [0.1, -1, 0.6];
    const { scene, pose } = stillLife({
      things: [{ ...plane, material: { ...white, texture: checker } }],
      camera: { position, target: [0, 0, 0], fovyDeg: 50 },
    });
    const size = 96;
    const { rgb, depth } = createRasterizer(scene, { width: size, height: size, samples: 1 }).render(pose, 0);
    const focal = size / 2 / Math.tan((25 * Math.PI) / 180);
    const r = pose.cameraRotations;
    let checked = 0;
    for (let pixel = 0; pixel < size * size; pixel++) {
      const far = depth[pixel]!;
      if (far > 2) continue;
      const x = (((pixel % size) + 0.5 - size / 2) / focal) * far;
      const y = ((size / 2 - Math.floor(pixel / size) - 0.5) / focal) * far;
      const u = 2 * (position[0] + r[0]! * x + r[1]! * y - r[2]! * far);
      const v = 2 * (position[1] + r[3]! * x + r[4]! * y - r[5]! * far);
      const toEdge = (value: number) => Math.abs(value * 2 - Math.round(value * 2)) / 2;
      if (Math.min(toEdge(u), toEdge(v)) < 0.1) continue;
      const isBlack = u - Math.floor(u) < 0.5 === v - Math.floor(v) < 0.5;
      expect(rgb[3 * pixel]).toBe(isBlack ? 0 : 255);
      checked += 1;
    }
    expect(checked).toBeGreaterThan(1000);
  });

  it("fade to their mean far away instead of flickering", () => {
    const checker = { kind: "checker", rgb: [0, 0, 0], repeat: 40, seed: 1 } as const;
    const far = draw({
      things: [{ ...plane, material: { ...white, texture: checker } }],
      camera: { position: [0, 0, 30] },
    });
    expect(new Set(far.rgb)).toEqual(new Set([188]));
  });
});
