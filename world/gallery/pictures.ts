/** @file What there is to see in the simulated worlds: every suite, body, camera, level of variation and perturbation. */
import type { Image } from "#core/contracts/image.ts";
import type { TaskInstance } from "#core/contracts/world.ts";
import { createRng } from "#core/rng.ts";
import { createRasterizer } from "../raster/index.ts";
import { drawInstance } from "../suites/draw.ts";
import { findSuite } from "../suites/index.ts";
import { perturb, perturbationNames } from "../suites/perturb.ts";
import { type PickKind, type PickPlaceConfig, pickKinds } from "../suites/pick-place/config.ts";
import { pickPlacePresets } from "../suites/pick-place/presets.ts";
import type { PushConfig } from "../suites/push/config.ts";
import { pushPresets } from "../suites/push/presets.ts";
import { levels } from "../tabletop/looks.ts";
import { createWorld, type SimulatedWorld } from "../world.ts";
import { contactSheet } from "./sheet.ts";

export type GalleryPicture = { readonly name: string; readonly caption: string; readonly image: Image };

export type GallerySuite = {
  readonly config: PushConfig | PickPlaceConfig;
  readonly bodies: readonly string[];
  readonly robot: string;
};

/** The suites that are shown, each with its bodies and the robot that stands for them. */
export const gallerySuites: readonly GallerySuite[] = [
  { config: pushPresets["language-table"], bodies: ["pusher", "arm", "hand"], robot: "arm" },
  { config: pickPlacePresets["pick-place"], bodies: ["widowx", "panda", "hand"], robot: "widowx" },
];

const draw = (suite: PushConfig | PickPlaceConfig, embodiment: string, seed: number): TaskInstance =>
  drawInstance({ suite, embodiment, split: "train", seed });

/** Draws all contact sheets, pictures of `size` pixels each. */
export async function* drawGallery({ size = 224, seed = 4 } = {}): AsyncGenerator<GalleryPicture> {
  const world = await createWorld({ size, shadowMapSize: 1024 });
  try {
    yield coverSheet(world, size, seed);
    for (const suite of gallerySuites) {
      yield looksSheet(world, suite, size, seed);
      yield episodeSheet(world, suite, size, seed);
      yield perturbationSheet(world, suite, size, seed);
      yield channelSheet(world, suite, size, seed);
    }
  } finally {
    world.close();
  }
}

/** What the cover shows of pick-place: kinds by row and body. */
const coverKinds: readonly (readonly PickKind[])[] = [
  ["stack", "put-on", "put-in"],
  ["open-drawer", "put-in", "stack"],
];

const onlyKind = (kind: PickKind): PickPlaceConfig["kinds"] =>
  Object.fromEntries(pickKinds.map((name) => [name, name === kind ? 1 : 0])) as PickPlaceConfig["kinds"];

/** Every body at work, in plain looks above and in varied ones below. */
function coverSheet(world: SimulatedWorld, size: number, seed: number): GalleryPicture {
  const pictures = (["low", "high"] as const).flatMap((level, row) =>
    gallerySuites.flatMap(({ config, bodies }) =>
      bodies.map((body, column) => {
        const varied = { ...config, looks: level, camera: level };
        const asked = varied.suite === "push" ? varied : { ...varied, kinds: onlyKind(coverKinds[row]![column]!) };
        return playExpertPictures(world, draw(asked, body, seed + 5 + row), 7, size)[4]!;
      }),
    ),
  );
  const names = gallerySuites.flatMap(({ config, bodies }) => bodies.map((body) => `${config.suite} ${body}`));
  return {
    name: "world",
    caption: `Every body at work: ${names.join(", ")}; above looks vary little, below much.`,
    image: contactSheet(pictures, names.length),
  };
}

function looksSheet(
  world: SimulatedWorld,
  { config, bodies }: GallerySuite,
  size: number,
  seed: number,
): GalleryPicture {
  const columns = levels.flatMap((level) => [seed, seed + 1].map((drawn) => ({ level, drawn })));
  const pictures = bodies.flatMap((body) =>
    columns.map(({ level, drawn }) => {
      world.start(draw({ ...config, looks: level, camera: level }, body, drawn));
      return world.render(size);
    }),
  );
  return {
    name: `${config.suite}-looks`,
    caption: `Rows: ${bodies.join(", ")}. Columns: looks and camera at ${levels.join(", ")}, two draws each.`,
    image: contactSheet(pictures, columns.length),
  };
}

const moments = 6;

function episodeSheet(
  world: SimulatedWorld,
  { config, bodies }: GallerySuite,
  size: number,
  seed: number,
): GalleryPicture {
  const sentences: string[] = [];
  const pictures = bodies.flatMap((body) => {
    const instance = draw(config, body, seed + 2);
    sentences.push(`${body}: "${instance.instruction}"`);
    return playExpertPictures(world, instance, moments, size);
  });
  return {
    name: `${config.suite}-episodes`,
    caption: `The expert, from start to end. ${sentences.join("; ")}.`,
    image: contactSheet(pictures, moments),
  };
}

/** Plays the expert twice: once to see how long it takes, once to take pictures at equal distances. */
function playExpertPictures(world: SimulatedWorld, instance: TaskInstance, count: number, size: number): Image[] {
  const suite = findSuite(instance.suite);
  const play = (each: (step: number) => void) => {
    const expert = suite.expert(instance, instance.hash);
    world.start(instance);
    for (each(0); !world.progress.done; each(world.stepsTaken)) world.advanceTool(expert.act(world.truth()));
  };
  let last = 0;
  play((step) => {
    last = step;
  });
  const wanted = Array.from({ length: count }, (_, index) => Math.round((index * last) / (count - 1)));
  const pictures: Image[] = [];
  play((step) => {
    for (const at of wanted) if (at === step) pictures.push(world.render(size));
  });
  return pictures;
}

function perturbationSheet(
  world: SimulatedWorld,
  { config, robot }: GallerySuite,
  size: number,
  seed: number,
): GalleryPicture {
  const pictures = [seed, seed + 3].flatMap((drawn) =>
    perturbationNames.map((name) => {
      world.start(draw(perturb(config, name), robot, drawn));
      // Bumps come in the first third of an episode.
      for (let step = 0; step < 25; step++) world.advance(new Float32Array(world.actionSize));
      return world.render(size);
    }),
  );
  return {
    name: `${config.suite}-perturbations`,
    caption: `Columns: ${perturbationNames.join(", ")}; after 25 control steps without a move.`,
    image: contactSheet(pictures, perturbationNames.length),
  };
}

/** Colour, depth and segmentation of every camera. */
function channelSheet(
  world: SimulatedWorld,
  { config, robot }: GallerySuite,
  size: number,
  seed: number,
): GalleryPicture {
  world.start(draw(config, robot, seed + 4));
  const { scene } = world;
  const rasterizer = createRasterizer(scene, { width: size, height: size, shadowMapSize: 512 });
  const pictures = scene.cameras.flatMap((_, camera) => {
    const { rgb, depth, segmentation } = rasterizer.render(world.pose(), camera);
    const grey = (data: Uint8Array): Image => ({ data, width: size, height: size });
    return [grey(rgb.slice()), grey(depthColours(depth)), grey(segmentColours(segmentation, scene.geoms.length))];
  });
  return {
    name: `${config.suite}-channels`,
    caption: `Colour, depth and segmentation in one pass. Rows: ${scene.cameras.map(({ name }) => name).join(", ")}.`,
    image: contactSheet(pictures, 3),
  };
}

/** Near is light, far is dark, over the range that is seen. */
function depthColours(depth: Float32Array): Uint8Array {
  const seen = depth.filter((value) => value < Number.POSITIVE_INFINITY).sort();
  const [near, far] = [seen[0] ?? 0, seen[Math.floor(0.99 * seen.length)] ?? 1];
  return Uint8Array.from({ length: 3 * depth.length }, (_, index) => {
    const share = (depth[Math.floor(index / 3)]! - near) / (far - near || 1);
    return Math.round(255 * (1 - Math.min(1, share)));
  });
}

function segmentColours(segmentation: Int32Array, geoms: number): Uint8Array {
  const rng = createRng("segments");
  const colours = Uint8Array.from({ length: 3 * geoms }, () => 40 + rng.integer(200));
  return Uint8Array.from({ length: 3 * segmentation.length }, (_, index) => {
    const geom = segmentation[Math.floor(index / 3)]!;
    return geom < 0 ? 0 : colours[3 * geom + (index % 3)]!;
  });
}
